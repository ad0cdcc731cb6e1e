import { setTimeout as sleep } from 'node:timers/promises'

const MINUTE_MS = 60_000
/** Clients kept before those whose budget is whole are looked for and forgotten. */
const CLIENTS_KEPT = 1024

/**
 * What each client may spend in a minute: up to a minute's worth at once, and it comes back evenly. What costs more
 * than is known beforehand is spent afterwards and may leave a debt, which has to come back first.
 */
export class RateBudget {
  readonly perMinute: number
  readonly #now: () => number
  /** When each client's budget is whole again. */
  readonly #wholeAt = new Map<string, number>()
  #sweepAt = CLIENTS_KEPT

  /** @param now milliseconds of a clock that never goes back */
  constructor(perMinute: number, now: () => number = () => performance.now()) {
    this.perMinute = perMinute
    this.#now = now
  }

  /** What a client may spend now; not below 0. */
  remaining(client: string): number {
    // A thousandth more than is there: what a client waited for must not be missing by a rounding.
    const left = this.perMinute - (this.wholeInMs(client) * this.perMinute) / MINUTE_MS
    return Math.max(0, Math.floor(left + 0.001))
  }

  /** Milliseconds until a client may spend all of it. */
  wholeInMs(client: string): number {
    return Math.max(0, (this.#wholeAt.get(client) ?? 0) - this.#now())
  }

  /** Milliseconds until a client may spend one. */
  oneInMs(client: string): number {
    return Math.max(0, this.wholeInMs(client) - MINUTE_MS + MINUTE_MS / this.perMinute)
  }

  spend(client: string, amount: number): void {
    const now = this.#now()
    const wholeAt = Math.max(now, this.#wholeAt.get(client) ?? 0) + (amount * MINUTE_MS) / this.perMinute
    this.#wholeAt.set(client, wholeAt)
    if (this.#wholeAt.size > this.#sweepAt) this.#sweep(now)
  }

  /**
   * Waits until a client may spend one.
   * @throws AbortError when the signal fires
   */
  async wait(client: string, signal: AbortSignal | undefined): Promise<void> {
    for (let ms = this.oneInMs(client); ms > 0; ms = this.oneInMs(client)) {
      await sleep(Math.ceil(ms), undefined, signal && { signal })
    }
  }

  #sweep(now: number): void {
    for (const [client, wholeAt] of this.#wholeAt) if (wholeAt <= now) this.#wholeAt.delete(client)
    this.#sweepAt = CLIENTS_KEPT + 2 * this.#wholeAt.size
  }
}
