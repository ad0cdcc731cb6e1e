import type { FastifyReply, FastifyRequest } from 'fastify'
import { ServiceError } from '../../errors.ts'
import { FairShare } from '../../sharing/fair-share.ts'
import type { ShareLimits } from '../../sharing/limits.ts'
import type { HttpLimits } from '../limits.ts'
import { clientOf } from './client.ts'

export interface PlacesOptions {
  max: number
  /** Of `max`, for a client on its own. */
  clientSharePercent: number
  /** What a place is for, in the plural: `requests`. */
  what: string
  /** The environment variable that `max` comes from. */
  setting: string
}

/** Of those routes of which many at once would leave too little for others. */
export function routePlaces({
  ingestRequestsMax,
  deletionsMax,
  clientSharePercent,
}: HttpLimits & ShareLimits) {
  return {
    ingest: new Places({
      max: ingestRequestsMax,
      clientSharePercent,
      what: 'ingest requests',
      setting: 'INGEST_REQUESTS_MAX',
    }),
    // Writes wait for each other in the index: one client's deletions must leave room for what others write.
    deletions: new Places({
      max: deletionsMax,
      clientSharePercent,
      what: 'deletions and patches',
      setting: 'DELETIONS_MAX',
    }),
  }
}

/** Places for requests at work, shared fairly by their clients. */
export class Places {
  readonly #share: FairShare
  readonly #options: PlacesOptions

  constructor(options: PlacesOptions) {
    this.#share = new FairShare(options.max, options.clientSharePercent)
    this.#options = options
  }

  /**
   * Takes nothing: spares a request that would be refused later its trouble.
   * @throws ServiceError OVERLOADED (`limit`)
   */
  check(request: FastifyRequest): void {
    if (!this.#share.mayTake(clientOf(request))) throw this.#refusal()
  }

  /**
   * Takes a place until the response has been sent or broken off.
   * @throws ServiceError OVERLOADED (`limit`)
   */
  take(request: FastifyRequest, { raw }: FastifyReply): void {
    if (raw.destroyed) return
    const client = clientOf(request)
    if (!this.#share.take(client)) throw this.#refusal()
    // `close` comes once for every response, sent or broken off.
    raw.once('close', () => this.#share.give(client))
  }

  #refusal(): ServiceError {
    const { max, what, setting } = this.#options
    const full = this.#share.total >= max
    const message = full
      ? `${max} ${what} are being served already (${setting}); try again in a moment.`
      : `You have as many ${what} open as one client may (a share of ${setting}); wait for an answer first.`
    return new ServiceError('OVERLOADED', message, { retryAfterMs: 1000, limit: max })
  }
}
