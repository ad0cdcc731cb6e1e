import { ServiceError } from '../../errors.ts'
import type { Lane } from '../lane.ts'
import type { Ticket } from '../queue-account.ts'

/** What every call of a model says as it crosses to the worker. */
export interface RowRequest {
  texts: readonly string[]
  lane: Lane
  /** Whose texts they are; clients take turns. */
  client: string
  /** Milliseconds since the epoch. */
  submittedAt: number
}

/** Wall-clock milliseconds of the slowest part of a call. */
export interface RowTimings {
  tokenizeMs: number
  queueMs: number
  inferenceMs: number
}

/** A call inside the worker: gathers its rows' results, keeps its places in the queue and settles once. */
export class RowCall<
  Request extends RowRequest = RowRequest,
  Result extends { timings: RowTimings } = { timings: RowTimings },
> {
  readonly request: Request
  /** Settles with the call. */
  readonly result: Promise<Result>
  /** What `result` resolves with: filled row by row. */
  protected readonly gathered: Result
  readonly #ticket: Ticket
  /** Of each text, in the rows that have not started to run. */
  readonly #waitingTokens: Uint32Array
  /** Rows. */
  #missing: number
  #settled = false
  #deliver!: () => void
  #reject!: (error: ServiceError) => void

  /**
   * @param ticket of the same texts, admitted by the caller's thread
   * @param rowsPerText runs of the model that each text takes
   */
  constructor(request: Request, ticket: Ticket, rowsPerText: number, gathered: Result) {
    this.request = request
    this.gathered = gathered
    this.#ticket = ticket
    this.#missing = request.texts.length * rowsPerText
    this.#waitingTokens = new Uint32Array(request.texts.length)
    this.result = new Promise((resolve, reject) => {
      this.#deliver = () => resolve(gathered)
      this.#reject = reject
    })
    if (this.#missing === 0) this.#succeed()
  }

  get settled(): boolean {
    return this.#settled
  }

  /** Whether any of its rows has not started to run. */
  get waits(): boolean {
    return this.#ticket.waiting > 0
  }

  /** Text `index` makes rows of `tokens` tokens together. */
  protected queued(index: number, tokens: number): void {
    this.#waitingTokens[index] = tokens
    this.#ticket.correct(index, tokens)
  }

  /** A row of text `index`, of `tokens` tokens, starts to run. */
  started(index: number, tokens: number): void {
    const rest = this.#waitingTokens[index]! - tokens
    this.#waitingTokens[index] = rest
    if (rest > 0) this.#ticket.correct(index, rest)
    else this.#ticket.release(index)
  }

  /** Another row's result is in `gathered`. */
  protected rowFinished(timings: RowTimings): void {
    const slowest = this.gathered.timings
    slowest.tokenizeMs = Math.max(slowest.tokenizeMs, timings.tokenizeMs)
    slowest.queueMs = Math.max(slowest.queueMs, timings.queueMs)
    slowest.inferenceMs = Math.max(slowest.inferenceMs, timings.inferenceMs)
    this.#missing--
    if (this.#missing === 0) this.#succeed()
  }

  /** Rejects the call, unless it has settled, and gives its places in the queue back. */
  fail(error: ServiceError): void {
    this.#ticket.releaseRest()
    if (this.#settled) return
    this.#settled = true
    this.#reject(error)
  }

  #succeed(): void {
    if (this.#settled) return
    this.#settled = true
    this.#deliver()
  }
}

/** @param name of the part: `encoder` */
export function closed(name: string): ServiceError {
  return new ServiceError('UNAVAILABLE', `The ${name} is closed.`)
}

export function abandoned(): ServiceError {
  return new ServiceError('ABORTED', 'The request was abandoned.')
}

/** Milliseconds since the epoch, with fractions, the same in every thread. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now()
}
