import { byteSize } from '../../cli/byte-size.ts'
import { type Output, redraw } from '../../cli/terminal.ts'
import type { PullEvents } from './hub/download-file.ts'
import type { RemoteFile } from './hub/hub-client.ts'

const REDRAW_MS = 200
/** The rate shown is the mean of about this long. */
const RATE_MS = 5000

/** A line that is redrawn, on a terminal; anywhere else only what the user must know. */
export class TerminalProgress implements PullEvents {
  readonly #out: Output
  #files: readonly RemoteFile[] = []
  readonly #bytes = new Map<string, number>()
  #drawn = 0
  #rate = 0
  #last = { at: 0, bytes: 0, path: '' }

  constructor(out: Output) {
    this.#out = out
  }

  plan(commit: string, files: readonly RemoteFile[]): void {
    this.#files = files
    if (this.#out.isTTY) {
      this.#line(
        `commit ${commit.slice(0, 12)}, ${files.length} files, ${byteSize(sum(files.map((file) => file.size)))}`,
      )
    }
  }

  progress(file: RemoteFile, bytes: number, phase: 'checking' | 'downloading'): void {
    this.#bytes.set(file.path, bytes)
    if (!this.#out.isTTY) return
    const now = performance.now()
    if (now - this.#drawn < REDRAW_MS && bytes < file.size) return
    this.#drawn = now
    this.#measure(file.path, bytes, now)
    const done = sum([...this.#bytes.values()])
    const all = sum(this.#files.map((each) => each.size))
    const left =
      phase === 'downloading' && this.#rate > 0 ? `, ${duration((all - done) / this.#rate)} left` : ''
    const rate = this.#rate > 0 ? `  ${byteSize(this.#rate * 1000)}/s` : ''
    const whole = all > 0 ? `  (${byteSize(done)} of ${byteSize(all)}${left})` : ''
    const verb = phase === 'checking' ? 'checking ' : ''
    this.#draw(`${verb}${file.path}  ${byteSize(bytes)} of ${byteSize(file.size)}${rate}${whole}`)
  }

  done(file: RemoteFile, how: 'kept' | 'downloaded'): void {
    this.#bytes.set(file.path, file.size)
    if (this.#out.isTTY)
      this.#line(`${file.path}  ${byteSize(file.size)}${how === 'kept' ? '  (was there)' : ''}`)
  }

  note(text: string): void {
    this.#line(text)
  }

  /** A step of what follows the download. */
  step(text: string): void {
    if (this.#out.isTTY) this.#draw(text)
  }

  /** Clears the moving line. */
  end(): void {
    if (this.#out.isTTY) this.#out.write('\r\x1b[K')
  }

  /** Bytes a millisecond, over the file that is under way. */
  #measure(path: string, bytes: number, now: number): void {
    const { at, bytes: before, path: lastPath } = this.#last
    if (lastPath === path && bytes >= before && now > at) {
      const weight = Math.min(1, (now - at) / RATE_MS)
      const current = (bytes - before) / (now - at)
      this.#rate = this.#rate === 0 ? current : this.#rate * (1 - weight) + current * weight
    }
    this.#last = { at: now, bytes, path }
  }

  #draw(text: string): void {
    redraw(this.#out, `  ${text}`)
  }

  #line(text: string): void {
    this.#out.write(this.#out.isTTY ? `\r\x1b[K  ${text}\n` : `  ${text}\n`)
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

function duration(ms: number): string {
  const minutes = ms / 60_000
  if (minutes < 1) return `${Math.ceil(ms / 1000)} s`
  return minutes < 90 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`
}
