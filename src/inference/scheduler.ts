import type { BatchCost } from './batch-cost.ts'
import type { Lane } from './lane.ts'
import { RowQueue, type WaitingRow } from './row-queue.ts'

export interface ScheduledRow extends WaitingRow {
  readonly lane: Lane
  /** Rows of one batch have the same kind: an encoder's rows for one prompt and for both do not mix. */
  readonly kind: number
  /** When the caller asked, in milliseconds of the clock that `batchEnded` gets. */
  readonly submittedAt: number
}

export interface BatchLimits {
  /** Padded tokens of one batch (rows x longest row). A single longer row runs alone. */
  readonly batchTokensMax: number
  /**
   * Milliseconds one bulk batch should take, by the rates measured so far: about the longest an interactive call
   * waits behind bulk work. A batch never has less than one row.
   */
  readonly bulkBatchMsMax: number
}

/** Interactive batches in a row after which bulk work gets a turn, so that a steady stream of searches never stops it. */
const INTERACTIVE_STREAK_MAX = 8

/**
 * Decides what runs next. Interactive rows go first; a bulk batch is bounded in time, so an interactive row waits
 * for at most the one that was running when it came. Bulk gets a turn in a long streak of interactive batches, but
 * only when every interactive row waiting has not yet waited for a bulk batch.
 */
export class Scheduler<Row extends ScheduledRow> {
  /** A queue for each kind of row. */
  readonly #lanes: Record<Lane, Map<number, RowQueue<Row>>> = { interactive: new Map(), bulk: new Map() }
  readonly #limits: BatchLimits
  readonly #cost: BatchCost
  #streak = 0
  #bulkEndedAt = Number.NEGATIVE_INFINITY

  constructor(limits: BatchLimits, cost: BatchCost) {
    this.#limits = limits
    this.#cost = cost
  }

  /** Queues a row. */
  push(row: Row): void {
    const queues = this.#lanes[row.lane]
    const queue = queues.get(row.kind) ?? new RowQueue()
    queues.set(row.kind, queue)
    queue.push(row)
  }

  /** Takes out all rows that `matches`. */
  remove(matches: (row: Row) => boolean): Row[] {
    return Object.values(this.#lanes).flatMap((queues) =>
      [...queues.values()].flatMap((queue) => queue.remove(matches)),
    )
  }

  /**
   * Takes the next batch; empty when nothing may run now.
   *
   * @param interactiveComing whether interactive texts are being tokenised: then no bulk batch is started
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

  /** @param at milliseconds of the clock of `submittedAt` */
  batchEnded(lane: Lane, at: number): void {
    if (lane === 'bulk') this.#bulkEndedAt = at
  }

  #bulkIsDue(interactive: RowQueue<Row>): boolean {
    return this.#streak >= INTERACTIVE_STREAK_MAX && interactive.oldest()!.submittedAt > this.#bulkEndedAt
  }

  /** The lane's queue with the row that waits longest. */
  #oldestQueue(lane: Lane): RowQueue<Row> | undefined {
    const queues = [...this.#lanes[lane].values()].filter((queue) => queue.size > 0)
    return queues.sort((a, b) => a.oldest()!.sequence - b.oldest()!.sequence)[0]
  }
}
