import { ServiceError } from '../../errors.ts'
import type { IndexLimits } from './limits.ts'

const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 30_000

type OperationLimits = Pick<IndexLimits, 'storeOperationsMax' | 'storeWritesMax'>

/** Bounds how much waits for the worker, and says to those it refuses when to come back. */
export class OperationLimiter {
  readonly #limits: OperationLimits
  readonly #inside = { read: 0, write: 0 }
  /** Milliseconds an operation takes, averaged over the last few. */
  readonly #usualMs = { read: 1, write: 50 }

  constructor(limits: OperationLimits) {
    this.#limits = limits
  }

  /** @throws ServiceError OVERLOADED with `retryAfterMs` */
  async run<T>(kind: 'read' | 'write', work: () => Promise<T>): Promise<T> {
    const { storeOperationsMax, storeWritesMax } = this.#limits
    const full = kind === 'write' && this.#inside.write >= storeWritesMax
    if (full || this.#inside.read + this.#inside.write >= storeOperationsMax) {
      const wait = Math.ceil(this.#usualMs[kind] * this.#inside[kind])
      const retryAfterMs = Math.min(RETRY_MS_MAX, Math.max(RETRY_MS_MIN, wait))
      throw new ServiceError(
        'OVERLOADED',
        `The index has too many operations waiting; try again in ${retryAfterMs} ms.`,
        { retryAfterMs, limit: full ? storeWritesMax : storeOperationsMax },
      )
    }
    const ahead = ++this.#inside[kind]
    const began = performance.now()
    try {
      return await work()
    } finally {
      this.#inside[kind]--
      this.#usualMs[kind] += ((performance.now() - began) / ahead - this.#usualMs[kind]) / 8
    }
  }
}
