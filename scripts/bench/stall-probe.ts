import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const CHILD = fileURLToPath(new URL('./stall-probe-child.ts', import.meta.url))

/** Milliseconds that /livez took. */
interface ProbeFigures {
  count: number
  p50: number
  p99: number
  max: number
}

interface Probe {
  ask(seconds: number): Promise<ProbeFigures>
  close(): void
}

/** A process that asks /livez every few milliseconds, so that the load of whoever attacks is not in its figures. */
export async function startProbe(url: string): Promise<Probe> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const line = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error('the probe ended')
    return value
  }
  await line()
  return {
    async ask(seconds) {
      child.stdin.write(`${seconds}\n`)
      return JSON.parse(await line())
    },
    close: () => child.kill(),
  }
}
