import { setTimeout as wait } from 'node:timers/promises'
import { HubFault } from './hub-fault.ts'

export interface RetryPolicy {
  /** Failures in a row that end it. */
  triesMax: number
  /** First pause; each further one is twice as long. */
  pauseMs: number
  pauseMsMax: number
  /** The hub may ask for a longer pause, up to here; beyond it the pull ends, and the message says why. */
  retryAfterMsMax: number
}

export const RETRY: RetryPolicy = {
  triesMax: 6,
  pauseMs: 1000,
  pauseMsMax: 30_000,
  retryAfterMsMax: 300_000,
}

/** Counts failures in a row and says how long to pause after each. */
export class Retries {
  readonly #policy: RetryPolicy
  #failures = 0

  constructor(policy: RetryPolicy) {
    this.#policy = policy
  }

  /** Something was gained since the last failure: count anew. */
  reset(): void {
    this.#failures = 0
  }

  /**
   * The pause before the next try.
   * @throws the fault itself when it is final, or was the last one allowed
   */
  pauseMs(fault: HubFault): number {
    const { triesMax, pauseMs, pauseMsMax, retryAfterMsMax } = this.#policy
    this.#failures++
    const asked = fault.retryAfterMs ?? 0
    if (!fault.retriable || this.#failures >= triesMax) throw fault
    if (asked > retryAfterMsMax) {
      const minutes = Math.ceil(asked / 60_000)
      throw new HubFault(
        'DOWNLOAD_FAILED',
        `The hub is busy and asks to be tried again in ${minutes} minutes.`,
        false,
        asked,
        fault,
      )
    }
    return Math.max(asked, Math.min(pauseMsMax, pauseMs * 2 ** (this.#failures - 1)))
  }
}

/** Runs `attempt` until it succeeds or its faults are final or too many. */
export async function withRetries<T>(
  policy: RetryPolicy,
  onRetry: (fault: HubFault, pauseMs: number) => void,
  attempt: () => Promise<T>,
): Promise<T> {
  const retries = new Retries(policy)
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof HubFault)) throw error
      const pauseMs = retries.pauseMs(error)
      onRetry(error, pauseMs)
      await wait(pauseMs)
    }
  }
}
