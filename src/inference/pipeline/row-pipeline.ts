import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ServiceError, toServiceError } from '../../errors.ts'
import type { RowTokens } from '../../model/prompt.ts'
import type { Body, BodyTokenizer } from '../../model/tokenizer/body-tokenizer.ts'
import type { BatchCost } from '../batch-cost.ts'
import type { Lane } from '../lane.ts'
import type { QueueAccount } from '../queue-account.ts'
import { type BatchLimits, type ScheduledRow, Scheduler } from '../scheduler.ts'
import { TokenizeStage } from '../tokenize-stage.ts'
import { abandoned, closed, epochMs, type RowCall, type RowTimings } from './row-call.ts'

/** A row of a call that waits for its batch. */
export interface QueuedRow<Call> extends RowTokens, ScheduledRow {
  readonly call: Call
  /** Of the text in its call. */
  readonly index: number
  readonly tokenizeMs: number
}

/** A text of a call to be tokenised. */
export interface CallText {
  readonly text: string
  /** @param ms wall-clock milliseconds of the tokenisation it was part of */
  done(body: Body, ms: number): void
}

export interface RowPipelineParts {
  /** Whose pipeline it is, for messages: `encoder`. */
  name: string
  tokenizer: Pick<BodyTokenizer, 'encodeStart'>
  /** Most tokens of a text that any row takes. */
  tokensMax: number
  /** Runs a batch of rows with equally many spans; the numbers of its rows in order, equally many each. */
  run(rows: readonly RowTokens[]): Promise<Float32Array>
  cost: BatchCost
  limits: BatchLimits
  account: QueueAccount
}

/**
 * Tokenise, queue by tokens, run, hand out: what the threads of all models do. The owner makes calls and rows, and
 * takes the rows' results.
 */
export class RowPipeline<Call extends RowCall, Row extends QueuedRow<Call>> {
  readonly #parts: RowPipelineParts
  readonly #finished: (row: Row, numbers: Float32Array, timings: RowTimings) => void
  readonly #scheduler: Scheduler<Row>
  readonly #stages: Record<Lane, TokenizeStage>
  readonly #calls = new Set<Call>()
  #closed = false
  #wake = () => {}
  readonly #loop: Promise<void>

  /** @param finished gets each row that has run, with its numbers: a view of its batch's */
  constructor(
    parts: RowPipelineParts,
    finished: (row: Row, numbers: Float32Array, timings: RowTimings) => void,
  ) {
    this.#parts = parts
    this.#finished = finished
    this.#scheduler = new Scheduler(parts.limits, parts.cost)
    const stage = () => new TokenizeStage(parts.tokenizer, parts.tokensMax, () => this.#wake())
    this.#stages = { interactive: stage(), bulk: stage() }
    this.#loop = this.#run()
  }

  /**
   * Takes a call whose places the caller's thread has taken in the account, and tokenises its texts in their order.
   * What they are tokenised for pushes its rows.
   */
  submit(call: Call, texts: readonly CallText[], signal: AbortSignal): void {
    if (this.#closed) call.fail(closed(this.#parts.name))
    else if (signal.aborted) call.fail(abandoned())
    if (call.settled) return
    this.#calls.add(call)
    signal.addEventListener('abort', () => this.fail(call, abandoned()), { once: true })
    this.#stages[call.request.lane].add(
      texts.map(({ text, done }) => ({
        text,
        wanted: () => !call.settled,
        done,
        failed: (error) => this.fail(call, toServiceError(error)),
      })),
    )
  }

  /** Queues a row. */
  push(row: Row): void {
    this.#scheduler.push(row)
  }

  /** Ends a call: its rows are taken out of the queue. */
  fail(call: Call, error: ServiceError): void {
    if (!this.#calls.delete(call)) return
    call.fail(error)
    this.#scheduler.remove((row) => row.call === call)
  }

  /** Finishes the running batch, rejects what waits. */
  async close(): Promise<void> {
    this.#closed = true
    for (const call of this.#calls) if (call.waits) this.fail(call, closed(this.#parts.name))
    this.#wake()
    await this.#loop
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
    const { run, cost, account } = this.#parts
    for (const { call, index, length } of rows) call.started(index, length)
    const start = epochMs()
    try {
      const numbers = await run(rows)
      const inferenceMs = epochMs() - start
      const length = Math.max(...rows.map((row) => row.length))
      cost.observe(rows.length, length, inferenceMs)
      account.batchRan(rows, cost.msPerToken(length)!)
      const width = numbers.length / rows.length
      rows.forEach((row, r) => {
        const { call, tokenizeMs } = row
        const queueMs = Math.max(0, start - call.request.submittedAt - tokenizeMs)
        const own = numbers.subarray(r * width, (r + 1) * width)
        this.#finished(row, own, { tokenizeMs, queueMs, inferenceMs })
        if (call.settled) this.#calls.delete(call)
      })
    } catch (error) {
      for (const { call } of rows) this.fail(call, toServiceError(error))
    }
    this.#scheduler.batchEnded(rows[0]!.lane, epochMs() - start)
  }
}
