import type { Lane } from '../encoder/encoder.ts'
import type { BatchCost } from './batch-cost.ts'
import type { EncoderLimits } from './limits.ts'
import { RowQueue, type WaitingRow } from './row-queue.ts'

export interface ScheduledRow extends WaitingRow {
  readonly lane: Lane
  /** Suffixes in the row: 1, or 2 for the joint pass. Rows of a batch are alike in it. */
  readonly groups: number
  /** When the caller asked, in milliseconds of the clock `batchEnded` is told. */
  readonly submittedAt: number
}

/** Interactive batches in a row after which bulk work gets a turn, lest a steady stream of searches stop it. */
const INTERACTIVE_STREAK_MAX = 8

/**
 * Decides what runs next. Interactive rows go first; a bulk batch is bounded in time, so an interactive row waits
 * for at most the one that was running when it came. Bulk gets a turn in a long streak of interactive batches, but
 * only when every interactive row waiting has not yet waited for a bulk batch.
 */
export class Scheduler<Row extends ScheduledRow> {
  readonly #lanes: Record<Lane, Record<number, RowQueue<Row>>> = {
    interactive: { 1: new RowQueue(), 2: new RowQueue() },
    bulk: { 1: new RowQueue(), 2: new RowQueue() },
  }
  readonly #limits: EncoderLimits
  readonly #cost: BatchCost
  #streak = 0
  #bulkEndedAt = Number.NEGATIVE_INFINITY

  constructor(limits: EncoderLimits, cost: BatchCost) {
    this.#limits = limits
    this.#cost = cost
  }

  push(row: Row): void {
    this.#lanes[row.lane][row.groups]!.push(row)
  }

  remove(matches: (row: Row) => boolean): Row[] {
    return Object.values(this.#lanes).flatMap((kinds) =>
      Object.values(kinds).flatMap((queue) => queue.remove(matches)),
    )
  }

  /**
   * Takes the next batch; empty when nothing may run now.
   *
   * @param interactiveComing interactive texts are being tokenised: better wait for them than start a bulk batch
   */
  take(interactiveComing: boolean): Row[] {
    const interactive = this.#oldestQueue('interactive')
    const bulk = this.#oldestQueue('bulk')
    if (interactive && !(bulk && this.#bulkIsDue(interactive))) {
      this.#streak++
      return interactive.take((rows, length) => rows * length <= this.#limits.batchTokensMax)
    }
    if (!bulk || (interactiveComing && !interactive)) return []
    this.#streak = 0
    const { batchTokensMax, bulkBatchMsMax } = this.#limits
    return bulk.take(
      (rows, length) =>
        rows * length <= batchTokensMax && rows <= this.#cost.rowsWithin(bulkBatchMsMax, length),
    )
  }

  batchEnded(lane: Lane, at: number): void {
    if (lane === 'bulk') this.#bulkEndedAt = at
  }

  #bulkIsDue(interactive: RowQueue<Row>): boolean {
    return this.#streak >= INTERACTIVE_STREAK_MAX && interactive.oldest()!.submittedAt > this.#bulkEndedAt
  }

  /** The lane's queue with the row that waits longest. */
  #oldestQueue(lane: Lane): RowQueue<Row> | undefined {
    const queues = Object.values(this.#lanes[lane]).filter((queue) => queue.size > 0)
    return queues.sort((a, b) => a.oldest()!.sequence - b.oldest()!.sequence)[0]
  }
}
