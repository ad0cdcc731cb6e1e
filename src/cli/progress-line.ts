import { type Output, redraw, say } from './terminal.ts'

const LINE_EVERY_MS = 30_000

/** `documents 1200/5183 (161/s)`: in place on a terminal, else a line every half minute. */
export function progressLine(output: Output): (phase: string, done: number, total: number) => void {
  let phaseSeen = ''
  let started = 0
  let lastLine = 0
  return (phase, done, total) => {
    const now = performance.now()
    if (phase !== phaseSeen) [phaseSeen, started, lastLine] = [phase, now, now]
    const rate = done / Math.max(0.001, (now - started) / 1000)
    const line = `${phase} ${done}/${total} (${rate.toFixed(rate < 10 ? 1 : 0)}/s)`
    if (output.isTTY) redraw(output, done >= total ? '' : line)
    else if (now - lastLine >= LINE_EVERY_MS) {
      lastLine = now
      say(output, line)
    }
  }
}
