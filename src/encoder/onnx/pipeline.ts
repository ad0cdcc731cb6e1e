import { setImmediate as nextTurn } from 'node:timers/promises'
import { ServiceError, toServiceError } from '../../errors.ts'
import type { BatchCost } from '../../inference/batch-cost.ts'
import { type EncoderLimits, estimatedCost, type QueueCost } from '../../inference/limits.ts'
import type { LoadCounters } from '../../inference/load-counters.ts'
import { type ScheduledRow, Scheduler } from '../../inference/scheduler.ts'
import type { Card } from '../../model/card.ts'
import { maxBodyTokens, type RowTokens, rowTokens, rowTokensMax } from '../../model/prompt.ts'
import type { Body, BodyTokenizer } from '../../model/tokenizer/body-tokenizer.ts'
import type { Lane } from '../encoder.ts'
import type { BatchRunner } from './batch-runner.ts'
import { Call, type CallRequest, type CallResult, epochMs } from './encode-call.ts'
import { TokenizeStage } from './tokenize-stage.ts'

interface Row extends RowTokens, ScheduledRow {
  call: Call
  /** Of the text in its call. */
  index: number
  tokenizeMs: number
}

export interface PipelineParts {
  card: Card
  tokenizer: BodyTokenizer
  runner: BatchRunner
  cost: BatchCost
  limits: EncoderLimits
  counters: LoadCounters
}

/** Tokenise, queue by tokens, run, hand out: the encoder inside its worker thread. */
export class EncoderPipeline {
  readonly #parts: PipelineParts
  readonly #scheduler: Scheduler<Row>
  readonly #stages: Record<Lane, TokenizeStage>
  readonly #calls = new Set<Call>()
  #sequence = 0
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

  /** The caller has been admitted: `counters` holds the call's estimated cost, which is given back from here. */
  encode(request: CallRequest, signal: AbortSignal): Promise<CallResult> {
    return new Promise((resolve, reject) => {
      const held = estimatedCost(request.texts, rowTokensMax(this.#parts.card))
      const call = new Call(request, held, this.#parts.card.dimensions, { resolve, reject })
      this.#calls.add(call)
      if (this.#closed) return this.#fail(call, closedError())
      signal.addEventListener('abort', () =>
        this.#fail(call, new ServiceError('ABORTED', 'The request was abandoned.')),
      )
      this.#tokenize(call)
    })
  }

  /** Finishes the running batch, rejects what waits. */
  async close(): Promise<void> {
    this.#closed = true
    for (const call of this.#calls) if (call.held.texts > 0) this.#fail(call, closedError())
    this.#wake()
    await this.#loop
  }

  #tokenize(call: Call): void {
    const { texts, task, lane, truncate } = call.request
    const bodyMax = maxBodyTokens(this.#parts.card, task)
    // A text too long fails its whole call, before any of it has cost an inference.
    const ready: Row[] = []
    const done = (index: number, body: Body, tokenizeMs: number) => {
      const truncated = body.truncated || body.ids.length > bodyMax
      if (truncated && truncate === 'error') {
        this.#fail(call, tooLong(index, bodyMax))
        return
      }
      const ids = body.ids.length > bodyMax ? body.ids.subarray(0, bodyMax) : body.ids
      ready.push(this.#row(call, index, ids, tokenizeMs))
      call.result.truncated[index] = truncated ? 1 : 0
      if (truncate === 'error' && ready.length < texts.length) return
      for (const row of ready.splice(0)) this.#scheduler.push(row)
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

  #row(call: Call, index: number, body: Uint32Array, tokenizeMs: number): Row {
    const { card, counters } = this.#parts
    const { task, lane, submittedAt, texts } = call.request
    const { ids, spans } = rowTokens(card, task, body)
    const length = ids.length
    call.result.tokens[index] = length
    const estimated = estimatedCost([texts[index]!], rowTokensMax(card))
    const correction = { texts: 0, tokens: length - estimated.tokens, chars: 0 }
    counters.queue(lane, correction)
    call.held.tokens += correction.tokens
    const sequence = this.#sequence++
    return { call, index, ids, spans, length, lane, groups: call.groups, submittedAt, sequence, tokenizeMs }
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
    const { runner, cost, counters, card } = this.#parts
    for (const row of rows) this.#release(row)
    const start = epochMs()
    try {
      const embeddings = await runner.run(rows)
      const inferenceMs = epochMs() - start
      const length = Math.max(...rows.map((row) => row.length))
      cost.observe(rows.length, length, inferenceMs)
      counters.set('tokenNs', cost.msPerToken(length)! * 1e6)
      counters.add('batches', 1)
      counters.add('paddedTokens', rows.length * length)
      for (const row of rows) counters.add('tokens', row.length)
      rows.forEach(({ call, index, groups, tokenizeMs, submittedAt }, r) => {
        const width = groups * card.dimensions
        const queueMs = Math.max(0, start - submittedAt - tokenizeMs)
        call.addRow(index, embeddings.subarray(r * width, (r + 1) * width), {
          tokenizeMs,
          queueMs,
          inferenceMs,
        })
        if (call.settled) this.#calls.delete(call)
      })
    } catch (error) {
      for (const row of rows) this.#fail(row.call, toServiceError(error))
    }
    this.#scheduler.batchEnded(rows[0]!.lane, epochMs())
  }

  /** Takes a row that starts to run off the queue's gauges. */
  #release({ call, index, length, lane }: Row): void {
    const cost: QueueCost = { texts: 1, tokens: length, chars: call.request.texts[index]!.length }
    this.#parts.counters.queue(lane, cost, -1)
    call.held.texts -= cost.texts
    call.held.tokens -= cost.tokens
    call.held.chars -= cost.chars
  }

  #fail(call: Call, error: ServiceError): void {
    if (!this.#calls.delete(call)) return
    call.fail(error)
    this.#scheduler.remove((row) => row.call === call)
    this.#parts.counters.queue(call.request.lane, call.held, -1)
  }
}

function closedError(): ServiceError {
  return new ServiceError('UNAVAILABLE', 'The encoder is closed.')
}

function tooLong(index: number, bodyMax: number): ServiceError {
  return new ServiceError(
    'TEXT_TOO_LONG',
    `Text ${index} has more than ${bodyMax} tokens; shorten it, or ask for truncate: end.`,
    { index, limit: bodyMax },
  )
}
