import { ServiceError } from '../errors.ts'
import { FairShare } from '../sharing/fair-share.ts'
import type { Lane } from './lane.ts'
import type { QueueLimits, Ticket, Unit } from './queue-account.ts'

/** A refused client may come back when one batch has run. */
const RETRY_MS = 100

/**
 * How the clients of one model divide its queue, on the callers' thread. What a call takes counts until the call has
 * settled.
 */
export class QueueShares {
  readonly #name: string
  readonly #lanes: Record<Lane, Record<Unit, FairShare>>

  /** @param name of whose queue it is, for messages: `encoder` */
  constructor(name: string, limits: QueueLimits, clientSharePercent: number) {
    const share = (max: number) => new FairShare(max, clientSharePercent)
    const lane = () => ({
      texts: share(limits.queueTextsMax),
      tokens: share(limits.queueTokensMax),
      chars: share(limits.queueCharsMax),
    })
    this.#name = name
    this.#lanes = { interactive: lane(), bulk: lane() }
  }

  /**
   * Counts a call of a client.
   *
   * @returns gives back what the call has taken; to be called once
   * @throws ServiceError OVERLOADED (`retryAfterMs`, `lane`) for a client that has its share in the queue
   */
  take(ticket: Ticket, lane: Lane, client: string): () => void {
    const shares = this.#lanes[lane]
    const cost = Object.entries(ticket.cost) as [Unit, number][]
    if (!cost.every(([unit, amount]) => shares[unit].mayTake(client, amount))) {
      const message = `You have as much work waiting in the ${this.#name} queue as one client may; wait for an answer, or try again in ${RETRY_MS} ms.`
      throw new ServiceError('OVERLOADED', message, { retryAfterMs: RETRY_MS, lane })
    }
    for (const [unit, amount] of cost) shares[unit].take(client, amount)
    return () => {
      for (const [unit, amount] of cost) shares[unit].give(client, amount)
    }
  }
}
