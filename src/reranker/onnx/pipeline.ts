import type { BatchCost } from '../../inference/batch-cost.ts'
import { type CallText, type QueuedRow, RowPipeline } from '../../inference/pipeline/row-pipeline.ts'
import type { QueueAccount } from '../../inference/queue-account.ts'
import type { BatchLimits } from '../../inference/scheduler.ts'
import type { PairTemplate } from '../../model/card.ts'
import { pairTokens, queryPart, textPart, textTokensMax } from '../../model/pair.ts'
import type { RowTokens } from '../../model/prompt.ts'
import type { BodyTokenizer } from '../../model/tokenizer/body-tokenizer.ts'
import type { ScoreResult } from '../reranker.ts'
import { ScoreCall, type ScoreRequest } from './score-call.ts'

type Row = QueuedRow<ScoreCall>

/** All rows may share a batch. */
const KIND = 0

export interface PipelineParts {
  template: PairTemplate
  tokenizer: Pick<BodyTokenizer, 'encodeStart'>
  /** Runs a batch: one score a row. */
  run(rows: readonly RowTokens[]): Promise<Float32Array>
  cost: BatchCost
  limits: BatchLimits
  account: QueueAccount
}

/** The reranker inside its worker thread: a query and its texts to rows, and the rows' scores back. */
export class RerankerPipeline {
  readonly #account: QueueAccount
  readonly #template: PairTemplate
  readonly #rows: RowPipeline<ScoreCall, Row>

  constructor({ template, ...parts }: PipelineParts) {
    this.#account = parts.account
    this.#template = template
    const tokensMax = Math.max(template.maxQueryTokens, template.maxTextTokens)
    this.#rows = new RowPipeline(
      { ...parts, name: 'reranker', tokensMax },
      ({ call, index }, [score], timings) => call.finished(index, score!, timings),
    )
  }

  /**
   * Scores a call's texts. The caller's thread has admitted it to the account; its places are given back here.
   *
   * @throws ServiceError ABORTED, UNAVAILABLE (closed), INTERNAL
   */
  score(request: ScoreRequest, signal: AbortSignal): Promise<ScoreResult> {
    const call = new ScoreCall(request, this.#account.ticket(request.texts, request.lane))
    this.#rows.submit(call, this.#texts(call), signal)
    return call.result
  }

  /** Finishes the running batch, rejects what waits. */
  close(): Promise<void> {
    return this.#rows.close()
  }

  /** The query is tokenised once, before the texts: they are tokenised in order. */
  #texts(call: ScoreCall): CallText[] {
    const { query, texts, lane, client } = call.request
    const template = this.#template
    let queryIds = new Uint32Array()
    const first: CallText = {
      text: queryPart(template, query),
      done({ ids, truncated }) {
        queryIds = ids.slice(0, template.maxQueryTokens)
        call.queryTokenized(truncated || ids.length > queryIds.length)
      },
    }
    const others = texts.map((text, index) => ({
      text: textPart(template, text),
      done: ({ ids: text, truncated }, tokenizeMs) => {
        const { ids, spans } = pairTokens(template, queryIds, text)
        const cut = truncated || text.length > textTokensMax(template, queryIds.length)
        const length = ids.length
        call.tokenized(index, length, cut)
        this.#rows.push({ call, index, ids, spans, length, lane, kind: KIND, client, tokenizeMs })
      },
    })) satisfies CallText[]
    return [first, ...others]
  }
}
