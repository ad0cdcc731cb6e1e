import { RowCall, type RowRequest, type RowTimings } from '../../inference/pipeline/row-call.ts'
import type { Ticket } from '../../inference/queue-account.ts'
import type { ScoreResult } from '../reranker.ts'

/** One `score` as it crosses to the worker. */
export interface ScoreRequest extends RowRequest {
  query: string
}

/** A call for scores inside the worker. */
export class ScoreCall extends RowCall<ScoreRequest, ScoreResult> {
  /** @param ticket of the same texts, admitted by the caller's thread */
  constructor(request: ScoreRequest, ticket: Ticket) {
    const count = request.texts.length
    super(request, ticket, 1, {
      scores: new Float32Array(count),
      tokens: new Uint32Array(count),
      truncated: new Uint8Array(count),
      queryTruncated: false,
      timings: { tokenizeMs: 0, queueMs: 0, inferenceMs: 0 },
    })
  }

  queryTokenized(truncated: boolean): void {
    this.gathered.queryTruncated = truncated
  }

  /** Text `index` makes a row of `tokens` tokens. */
  tokenized(index: number, tokens: number, truncated: boolean): void {
    this.gathered.tokens[index] = tokens
    this.gathered.truncated[index] = truncated ? 1 : 0
    this.queued(index, tokens)
  }

  finished(index: number, score: number, timings: RowTimings): void {
    this.gathered.scores[index] = score
    this.rowFinished(timings)
  }
}
