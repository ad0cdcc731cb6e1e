import { ServiceError } from '../../errors.ts'
import type { Ticket } from '../../inference/queue-account.ts'
import type { Pass } from '../../model/prompt.ts'
import type { EncodeTimings, Lane, Truncate } from '../encoder.ts'

/** One `encode` as it crosses to the worker. */
export interface CallRequest {
  texts: readonly string[]
  /** What the prompts asked for take (`passesOf`): each text is a row in every pass. */
  passes: readonly Pass[]
  lane: Lane
  /** Whose texts they are; clients take turns. */
  client: string
  truncate: Truncate
  /** Milliseconds since the epoch. */
  submittedAt: number
}

export interface CallResult {
  /** Unit vectors, [prompts, texts, dimensions], row-major, prompts in the order of the passes. */
  vectors: Float32Array
  /** Of all rows of a text. */
  tokens: Uint32Array
  /** 1 where any row of a text was cut. */
  truncated: Uint8Array
  /** 1 where the body of a text, as far as the shortest row reads it, is mostly unknown tokens. */
  mostlyUnknown: Uint8Array
  timings: EncodeTimings
}

/** A call inside the worker: gathers its rows' results, keeps its places in the queue and settles once. */
export class EncodeCall {
  readonly request: CallRequest
  /** Settles with the call. */
  readonly result: Promise<CallResult>
  readonly #ticket: Ticket
  readonly #dimensions: number
  readonly #gathered: CallResult
  /** Of each text, in the rows that have not started to run. */
  readonly #waitingTokens: Uint32Array
  /** Rows. */
  #missing: number
  #settled = false
  #resolve!: (result: CallResult) => void
  #reject!: (error: ServiceError) => void

  /**
   * @param ticket of the same texts, admitted by the caller's thread
   * @param dimensions of one vector
   */
  constructor(request: CallRequest, ticket: Ticket, dimensions: number) {
    const count = request.texts.length
    const prompts = request.passes.flat().length
    this.request = request
    this.#ticket = ticket
    this.#dimensions = dimensions
    this.#missing = count * request.passes.length
    this.#waitingTokens = new Uint32Array(count)
    this.#gathered = {
      vectors: new Float32Array(prompts * count * dimensions),
      tokens: new Uint32Array(count),
      truncated: new Uint8Array(count),
      mostlyUnknown: new Uint8Array(count),
      timings: { tokenizeMs: 0, queueMs: 0, inferenceMs: 0 },
    }
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    if (count === 0) this.#succeed()
  }

  get settled(): boolean {
    return this.#settled
  }

  /** Whether any of its rows has not started to run. */
  get waits(): boolean {
    return this.#ticket.waiting > 0
  }

  /** Text `index` makes rows of `tokens` tokens together. */
  tokenized(index: number, tokens: number, body: { truncated: boolean; mostlyUnknown: boolean }): void {
    this.#gathered.tokens[index] = tokens
    this.#gathered.truncated[index] = body.truncated ? 1 : 0
    this.#gathered.mostlyUnknown[index] = body.mostlyUnknown ? 1 : 0
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

  /** @param embedding [prompts, dimensions] of text `index` in pass `pass` */
  finished(index: number, pass: number, embedding: Float32Array, timings: EncodeTimings): void {
    const { texts, passes } = this.request
    const before = passes.slice(0, pass).flat().length
    for (let prompt = 0; prompt < passes[pass]!.length; prompt++) {
      const row = embedding.subarray(prompt * this.#dimensions, (prompt + 1) * this.#dimensions)
      this.#gathered.vectors.set(row, ((before + prompt) * texts.length + index) * this.#dimensions)
    }
    const slowest = this.#gathered.timings
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
    this.#resolve(this.#gathered)
  }
}

export function tooLong(index: number, bodyMax: number): ServiceError {
  return new ServiceError(
    'TEXT_TOO_LONG',
    `Text ${index} has more than ${bodyMax} tokens; shorten it, or ask for truncate: end.`,
    { index, limit: bodyMax },
  )
}

export function closed(): ServiceError {
  return new ServiceError('UNAVAILABLE', 'The encoder is closed.')
}

export function abandoned(): ServiceError {
  return new ServiceError('ABORTED', 'The request was abandoned.')
}

/** Milliseconds since the epoch, with fractions, the same in every thread. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now()
}
