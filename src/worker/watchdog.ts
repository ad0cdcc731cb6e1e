import { ServiceError } from '../errors.ts'

/** Who wants to know when a thread is silent. */
export interface Watch {
  /** Longest silence of a thread that has work, in ms. */
  msMax: number
  /** Called with the reason when a thread has been silent for so long, and without one when it answers again. */
  onChange(silent: ServiceError | undefined): void
}

const LOOKS_PER_SILENCE = 4

/**
 * Asks a thread that has work whether it still answers. A thread that a loop or a native call holds does not: its
 * calls would wait for ever and nobody would know.
 */
export class Watchdog {
  readonly #name: string
  readonly #watch: Watch
  readonly #ask: () => void
  readonly #timer: NodeJS.Timeout
  readonly #lookMs: number
  #lookedAt = performance.now()
  #heardAt = performance.now()
  #silent = false

  /** @param ask sends a message that the thread answers at once if it can */
  constructor(name: string, watch: Watch, hasWork: () => boolean, ask: () => void) {
    this.#name = name
    this.#watch = watch
    this.#ask = ask
    this.#lookMs = Math.max(1, watch.msMax / LOOKS_PER_SILENCE)
    this.#timer = setInterval(() => this.#look(hasWork()), this.#lookMs)
    this.#timer.unref()
  }

  /** The thread has sent something, or has just been given its first work. */
  heard(): void {
    this.#heardAt = performance.now()
    if (!this.#silent) return
    this.#silent = false
    this.#watch.onChange(undefined)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(hasWork: boolean): void {
    const now = performance.now()
    // When this thread itself was held up, the answers may still wait to be read.
    const late = now - this.#lookedAt > 2 * this.#lookMs + 100
    this.#lookedAt = now
    if (!hasWork || late) this.#heardAt = now
    if (!hasWork) return
    this.#ask()
    if (this.#silent || now - this.#heardAt < this.#watch.msMax) return
    this.#silent = true
    const seconds = Math.round(this.#watch.msMax / 1000)
    const message = `${this.#name} has not answered for ${seconds} s (WATCHDOG_MS); if it stays so, restart the service.`
    this.#watch.onChange(new ServiceError('UNAVAILABLE', message))
  }
}
