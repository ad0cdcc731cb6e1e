import { ServiceError } from '../../errors.ts'
import type { EmbeddedStoreLimits } from './limits.ts'

const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 30_000

/** Bounds how much waits for the worker, and tells those it sends away when to come back. */
export class WaitingRoom {
  readonly #limits: Pick<EmbeddedStoreLimits, 'operationsWaitingMax' | 'writesWaitingMax'>
  readonly #inside = { read: 0, write: 0 }
  /** Milliseconds an operation takes, averaged over the last few. */
  readonly #usualMs = { read: 1, write: 50 }
  readonly #running = new Set<Promise<unknown>>()

  constructor(limits: Pick<EmbeddedStoreLimits, 'operationsWaitingMax' | 'writesWaitingMax'>) {
    this.#limits = limits
  }

  get waiting(): number {
    return this.#inside.read + this.#inside.write
  }

  /** @throws ServiceError OVERLOADED with `retryAfterMs` */
  async run<T>(kind: 'read' | 'write', work: () => Promise<T>): Promise<T> {
    const { operationsWaitingMax, writesWaitingMax } = this.#limits
    const full = kind === 'write' && this.#inside.write >= writesWaitingMax
    if (full || this.waiting >= operationsWaitingMax) {
      const wait = Math.ceil(this.#usualMs[kind] * this.#inside[kind])
      throw new ServiceError(
        'OVERLOADED',
        'Too many operations wait for the vector store; try again later.',
        {
          retryAfterMs: Math.min(RETRY_MS_MAX, Math.max(RETRY_MS_MIN, wait)),
          limit: full ? writesWaitingMax : operationsWaitingMax,
        },
      )
    }
    const ahead = ++this.#inside[kind]
    const began = performance.now()
    // A call that is refused before it is sent rejects like any other.
    const running = (async () => work())()
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
      this.#inside[kind]--
      this.#usualMs[kind] += ((performance.now() - began) / ahead - this.#usualMs[kind]) / 8
    }
  }

  /** When everyone inside is done. */
  async empty(): Promise<void> {
    await Promise.allSettled(this.#running)
  }
}
