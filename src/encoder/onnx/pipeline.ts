import type { BatchCost } from '../../inference/batch-cost.ts'
import { type CallText, type QueuedRow, RowPipeline } from '../../inference/pipeline/row-pipeline.ts'
import type { QueueAccount } from '../../inference/queue-account.ts'
import type { BatchLimits } from '../../inference/scheduler.ts'
import type { Card } from '../../model/card.ts'
import { maxBodyTokens, type RowTokens, rowTokens } from '../../model/prompt.ts'
import type { Body, BodyTokenizer } from '../../model/tokenizer/body-tokenizer.ts'
import { type CallRequest, type CallResult, EncodeCall, tooLong } from './encode-call.ts'

interface Row extends QueuedRow<EncodeCall> {
  /** Of its pass in its call. */
  pass: number
}

export interface PipelineParts {
  card: Card
  tokenizer: Pick<BodyTokenizer, 'encodeStart' | 'unknownId'>
  /** Runs a batch of rows with equally many spans: embeddings [rows, spans, dimensions], row-major. */
  run(rows: readonly RowTokens[]): Promise<Float32Array>
  cost: BatchCost
  limits: BatchLimits
  account: QueueAccount
}

/** The encoder inside its worker thread: texts to rows by the prompts asked for, and the rows' vectors back. */
export class EncoderPipeline {
  readonly #parts: PipelineParts
  readonly #rows: RowPipeline<EncodeCall, Row>

  constructor(parts: PipelineParts) {
    this.#parts = parts
    const { ebar, ebae } = parts.card.prompts
    const tokensMax = Math.max(ebar.maxBodyTokens, ebae.maxBodyTokens)
    this.#rows = new RowPipeline(
      { ...parts, name: 'encoder', tokensMax },
      ({ call, index, pass }, embedding, timings) => call.finished(index, pass, embedding, timings),
    )
  }

  /**
   * Embeds a call's texts. The caller's thread has admitted it to the account; its places are given back here.
   *
   * @throws ServiceError TEXT_TOO_LONG, ABORTED, UNAVAILABLE (closed), INTERNAL
   */
  encode(request: CallRequest, signal: AbortSignal): Promise<CallResult> {
    const { account, card } = this.#parts
    const ticket = account.ticket(request.texts, request.lane, request.passes.length)
    const call = new EncodeCall(request, ticket, card.dimensions)
    this.#rows.submit(call, this.#texts(call), signal)
    return call.result
  }

  /** Finishes the running batch, rejects what waits. */
  close(): Promise<void> {
    return this.#rows.close()
  }

  #texts(call: EncodeCall): CallText[] {
    const { texts, passes, truncate } = call.request
    const bodyMax = Math.min(...passes.map((pass) => maxBodyTokens(this.#parts.card, pass)))
    // A text too long fails its whole call, before any of it has cost an inference.
    const ready: Row[] = []
    let tokenized = 0
    const done = (index: number, body: Body, tokenizeMs: number) => {
      const truncated = body.truncated || body.ids.length > bodyMax
      if (truncated && truncate === 'error') {
        this.#rows.fail(call, tooLong(index, bodyMax))
        return
      }
      const rows = passes.map((_, pass) => this.#row(call, index, pass, body.ids, tokenizeMs))
      const tokens = rows.reduce((sum, { length }) => sum + length, 0)
      const mostlyUnknown = isMost(body.ids.subarray(0, bodyMax), this.#parts.tokenizer.unknownId)
      call.tokenized(index, tokens, { truncated, mostlyUnknown })
      ready.push(...rows)
      tokenized++
      if (truncate === 'error' && tokenized < texts.length) return
      for (const each of ready.splice(0)) this.#rows.push(each)
    }
    return texts.map((text, index) => ({ text, done: (body, ms) => done(index, body, ms) }))
  }

  #row(call: EncodeCall, index: number, pass: number, body: Uint32Array, tokenizeMs: number): Row {
    const { passes, lane, client } = call.request
    const { card } = this.#parts
    const prompts = passes[pass]!
    const { ids, spans } = rowTokens(card, prompts, body.subarray(0, maxBodyTokens(card, prompts)))
    const kind = prompts.length
    return { call, index, pass, ids, spans, length: ids.length, lane, kind, client, tokenizeMs }
  }
}

/** Whether more than half of `ids` are `id`. */
function isMost(ids: Uint32Array, id: number | undefined): boolean {
  let count = 0
  for (const each of ids) if (each === id) count++
  return count * 2 > ids.length
}
