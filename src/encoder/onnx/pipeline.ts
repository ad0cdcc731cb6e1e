import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ServiceError, toServiceError } from '../../errors.ts'
import type { BatchCost } from '../../inference/batch-cost.ts'
import type { QueueAccount } from '../../inference/queue-account.ts'
import { type BatchLimits, type ScheduledRow, Scheduler } from '../../inference/scheduler.ts'
import { TokenizeStage } from '../../inference/tokenize-stage.ts'
import type { Card } from '../../model/card.ts'
import { maxBodyTokens, type RowTokens, rowTokens } from '../../model/prompt.ts'
import type { Body, BodyTokenizer } from '../../model/tokenizer/body-tokenizer.ts'
import type { Lane } from '../encoder.ts'
import {
  abandoned,
  type CallRequest,
  type CallResult,
  closed,
  EncodeCall,
  epochMs,
  tooLong,
} from './encode-call.ts'

interface Row extends RowTokens, ScheduledRow {
  call: EncodeCall
  /** Of the text in its call. */
  index: number
  tokenizeMs: number
}

export interface PipelineParts {
  card: Card
  tokenizer: Pick<BodyTokenizer, 'encodeStart'>
  /** Runs a batch of rows with equally many spans: embeddings [rows, spans, dimensions], row-major. */
  run(rows: readonly RowTokens[]): Promise<Float32Array>
  cost: BatchCost
  limits: BatchLimits
  account: QueueAccount
}

/** Tokenise, queue by tokens, run, hand out: the encoder inside its worker thread. */
export class EncoderPipeline {
  readonly #parts: PipelineParts
  readonly #scheduler: Scheduler<Row>
  readonly #stages: Record<Lane, TokenizeStage>
  readonly #calls = new Set<EncodeCall>()
  #closed = false
  #wake = () => {}
  readonly #loop: Promise<void>

  constructor(parts: PipelineParts) {
    this.#parts = parts
    this.#scheduler = new Scheduler(parts.limits, parts.cost)
    const { ebar, ebae } = parts.card.prompts
    const tokensMax = Math.max(ebar.maxBodyTokens, ebae.maxBodyTokens)
    const stage = () => new TokenizeStage(parts.tokenizer, tokensMax, () => this.#wake())
    this.#stages = { interactive: stage(), bulk: stage() }
    this.#loop = this.#run()
  }

  /**
   * Embeds a call's texts. The caller's thread has admitted it to the account; its places are given back here.
   *
   * @throws ServiceError TEXT_TOO_LONG, ABORTED, UNAVAILABLE (closed), INTERNAL
   */
  encode(request: CallRequest, signal: AbortSignal): Promise<CallResult> {
    const { account, card } = this.#parts
    const call = new EncodeCall(request, account.ticket(request.texts, request.lane), card.dimensions)
    if (this.#closed) call.fail(closed())
    else if (signal.aborted) call.fail(abandoned())
    if (call.settled) return call.result
    this.#calls.add(call)
    signal.addEventListener('abort', () => this.#fail(call, abandoned()), { once: true })
    this.#tokenize(call)
    return call.result
  }

  /** Finishes the running batch, rejects what waits. */
  async close(): Promise<void> {
    this.#closed = true
    for (const call of this.#calls) if (call.waits) this.#fail(call, closed())
    this.#wake()
    await this.#loop
  }

  #tokenize(call: EncodeCall): void {
    const { texts, prompts, lane, truncate } = call.request
    const bodyMax = maxBodyTokens(this.#parts.card, prompts)
    // A text too long fails its whole call, before any of it has cost an inference.
    const ready: Row[] = []
    const done = (index: number, body: Body, tokenizeMs: number) => {
      const truncated = body.truncated || body.ids.length > bodyMax
      if (truncated && truncate === 'error') {
        this.#fail(call, tooLong(index, bodyMax))
        return
      }
      const row = this.#row(call, index, body.ids.subarray(0, bodyMax), tokenizeMs)
      call.tokenized(index, row.length, truncated)
      ready.push(row)
      if (truncate === 'error' && ready.length < texts.length) return
      for (const each of ready.splice(0)) this.#scheduler.push(each)
    }
    this.#stages[lane].add(
      texts.map((text, index) => ({
        text,
        wanted: () => !call.settled,
        done: (body, ms) => done(index, body, ms),
        failed: (error) => this.#fail(call, toServiceError(error)),
      })),
    )
  }

  #row(call: EncodeCall, index: number, body: Uint32Array, tokenizeMs: number): Row {
    const { prompts, lane, client } = call.request
    const { ids, spans } = rowTokens(this.#parts.card, prompts, body)
    const kind = prompts.length
    return { call, index, ids, spans, length: ids.length, lane, kind, client, tokenizeMs }
  }

  async #run(): Promise<void> {
    for (;;) {
      // Lets messages in: calls, aborts and tokenised texts that came while a batch held the thread.
      await nextTurn()
      if (this.#closed) return
      const rows = this.#scheduler.take(this.#stages.interactive.busy)
      if (rows.length > 0) await this.#runBatch(rows)
      else await new Promise<void>((wake) => (this.#wake = wake))
    }
  }

  async #runBatch(rows: Row[]): Promise<void> {
    const { run, cost, account, card } = this.#parts
    for (const { call, index } of rows) call.started(index)
    const start = epochMs()
    try {
      const embeddings = await run(rows)
      const inferenceMs = epochMs() - start
      const length = Math.max(...rows.map((row) => row.length))
      cost.observe(rows.length, length, inferenceMs)
      account.batchRan(rows, cost.msPerToken(length)!)
      rows.forEach(({ call, index, spans, tokenizeMs }, r) => {
        const width = (spans.length / 2) * card.dimensions
        const queueMs = Math.max(0, start - call.request.submittedAt - tokenizeMs)
        const embedding = embeddings.subarray(r * width, (r + 1) * width)
        call.finished(index, embedding, { tokenizeMs, queueMs, inferenceMs })
        if (call.settled) this.#calls.delete(call)
      })
    } catch (error) {
      for (const { call } of rows) this.#fail(call, toServiceError(error))
    }
    this.#scheduler.batchEnded(rows[0]!.lane, epochMs() - start)
  }

  #fail(call: EncodeCall, error: ServiceError): void {
    if (!this.#calls.delete(call)) return
    call.fail(error)
    this.#scheduler.remove((row) => row.call === call)
  }
}
