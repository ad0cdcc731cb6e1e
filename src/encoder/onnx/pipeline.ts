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
  /** Of its pass in its call. */
  pass: number
  tokenizeMs: number
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
    const call = new EncodeCall(
      request,
      account.ticket(request.texts, request.lane, request.passes.length),
      card.dimensions,
    )
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
    const { texts, passes, lane, truncate } = call.request
    const bodyMax = Math.min(...passes.map((pass) => maxBodyTokens(this.#parts.card, pass)))
    // A text too long fails its whole call, before any of it has cost an inference.
    const ready: Row[] = []
    let tokenized = 0
    const done = (index: number, body: Body, tokenizeMs: number) => {
      const truncated = body.truncated || body.ids.length > bodyMax
      if (truncated && truncate === 'error') {
        this.#fail(call, tooLong(index, bodyMax))
        return
      }
      const rows = passes.map((_, pass) => this.#row(call, index, pass, body.ids, tokenizeMs))
      const tokens = rows.reduce((sum, { length }) => sum + length, 0)
      const mostlyUnknown = isMost(body.ids.subarray(0, bodyMax), this.#parts.tokenizer.unknownId)
      call.tokenized(index, tokens, { truncated, mostlyUnknown })
      ready.push(...rows)
      tokenized++
      if (truncate === 'error' && tokenized < texts.length) return
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

  #row(call: EncodeCall, index: number, pass: number, body: Uint32Array, tokenizeMs: number): Row {
    const { passes, lane, client } = call.request
    const { card } = this.#parts
    const prompts = passes[pass]!
    const { ids, spans } = rowTokens(card, prompts, body.subarray(0, maxBodyTokens(card, prompts)))
    const kind = prompts.length
    return { call, index, pass, ids, spans, length: ids.length, lane, kind, client, tokenizeMs }
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
    for (const { call, index, length } of rows) call.started(index, length)
    const start = epochMs()
    try {
      const embeddings = await run(rows)
      const inferenceMs = epochMs() - start
      const length = Math.max(...rows.map((row) => row.length))
      cost.observe(rows.length, length, inferenceMs)
      account.batchRan(rows, cost.msPerToken(length)!)
      rows.forEach(({ call, index, pass, spans, tokenizeMs }, r) => {
        const width = (spans.length / 2) * card.dimensions
        const queueMs = Math.max(0, start - call.request.submittedAt - tokenizeMs)
        const embedding = embeddings.subarray(r * width, (r + 1) * width)
        call.finished(index, pass, embedding, { tokenizeMs, queueMs, inferenceMs })
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

/** Whether more than half of `ids` are `id`. */
function isMost(ids: Uint32Array, id: number | undefined): boolean {
  let count = 0
  for (const each of ids) if (each === id) count++
  return count * 2 > ids.length
}
