import { ServiceError } from '../../errors.ts'
import { RowCall, type RowRequest, type RowTimings } from '../../inference/pipeline/row-call.ts'
import type { Ticket } from '../../inference/queue-account.ts'
import type { Pass } from '../../model/prompt.ts'
import type { EncodeTimings, Truncate } from '../encoder.ts'

/** One `encode` as it crosses to the worker. */
export interface CallRequest extends RowRequest {
  /** What the prompts asked for take (`passesOf`): each text is a row in every pass. */
  passes: readonly Pass[]
  truncate: Truncate
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

/** A call for vectors inside the worker. */
export class EncodeCall extends RowCall<CallRequest, CallResult> {
  readonly #dimensions: number

  /**
   * @param ticket of the same texts, admitted by the caller's thread
   * @param dimensions of one vector
   */
  constructor(request: CallRequest, ticket: Ticket, dimensions: number) {
    const count = request.texts.length
    const prompts = request.passes.flat().length
    super(request, ticket, request.passes.length, {
      vectors: new Float32Array(prompts * count * dimensions),
      tokens: new Uint32Array(count),
      truncated: new Uint8Array(count),
      mostlyUnknown: new Uint8Array(count),
      timings: { tokenizeMs: 0, queueMs: 0, inferenceMs: 0 },
    })
    this.#dimensions = dimensions
  }

  /** Text `index` makes rows of `tokens` tokens together. */
  tokenized(index: number, tokens: number, body: { truncated: boolean; mostlyUnknown: boolean }): void {
    this.gathered.tokens[index] = tokens
    this.gathered.truncated[index] = body.truncated ? 1 : 0
    this.gathered.mostlyUnknown[index] = body.mostlyUnknown ? 1 : 0
    this.queued(index, tokens)
  }

  /** @param embedding [prompts, dimensions] of text `index` in pass `pass` */
  finished(index: number, pass: number, embedding: Float32Array, timings: RowTimings): void {
    const { texts, passes } = this.request
    const before = passes.slice(0, pass).flat().length
    for (let prompt = 0; prompt < passes[pass]!.length; prompt++) {
      const row = embedding.subarray(prompt * this.#dimensions, (prompt + 1) * this.#dimensions)
      this.gathered.vectors.set(row, ((before + prompt) * texts.length + index) * this.#dimensions)
    }
    this.rowFinished(timings)
  }
}

export function tooLong(index: number, bodyMax: number): ServiceError {
  return new ServiceError(
    'TEXT_TOO_LONG',
    `Text ${index} has more than ${bodyMax} tokens; shorten it, or ask for truncate: end.`,
    { index, limit: bodyMax },
  )
}
