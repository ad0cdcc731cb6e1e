import type { BatchCost } from './batch-cost.ts'
import { BulkShare } from './bulk-share.ts'
import type { Lane } from './lane.ts'
import { type LaneRow, RowLane } from './row-lane.ts'

export interface ScheduledRow extends LaneRow {
  readonly lane: Lane
}

export interface BatchLimits {
  /** Padded tokens of one batch (rows x longest row). A single longer row runs alone. */
  readonly batchTokensMax: number
  /**
   * Milliseconds one bulk batch should take, by the rates measured so far: about the longest an interactive call
   * waits behind bulk work. A batch never has less than one row.
   */
  readonly bulkBatchMsMax: number
  /** The same for an interactive batch, by which another call waits; unbounded without it. */
  readonly interactiveBatchMsMax?: number
  /** Of the time, for bulk work, while interactive work waits as well. */
  readonly bulkSharePercent: number
}

/**
 * Decides what runs next. Interactive rows go first; a bulk batch is bounded in time, so an interactive row waits
 * for at most the one that was running when it came. Where interactive work never ends, bulk work gets its share of
 * the time, a batch whenever it has earned one. Within a lane, clients take turns.
 */
export class Scheduler<Row extends ScheduledRow> {
  readonly #lanes: Record<Lane, RowLane<Row>> = { interactive: new RowLane(), bulk: new RowLane() }
  readonly #limits: BatchLimits
  readonly #cost: BatchCost
  readonly #bulkShare: BulkShare
  /** Whether bulk work waits while an interactive batch runs. */
  #bulkWaits = false

  constructor(limits: BatchLimits, cost: BatchCost) {
    this.#limits = limits
    this.#cost = cost
    this.#bulkShare = new BulkShare(limits.bulkSharePercent)
  }

  /** Queues a row. */
  push(row: Row): void {
    this.#lanes[row.lane].push(row)
  }

  /** Takes out all rows that `matches`. */
  remove(matches: (row: Row) => boolean): void {
    for (const lane of Object.values(this.#lanes)) lane.remove(matches)
  }

  /**
   * Takes the next batch; empty when nothing may run now.
   *
   * @param interactiveComing whether interactive texts are being tokenised: then only bulk work that is due starts
   */
  take(interactiveComing: boolean): Row[] {
    const { interactive, bulk } = this.#lanes
    const { bulkBatchMsMax, interactiveBatchMsMax } = this.#limits
    const bulkIsDue = bulk.size > 0 && this.#bulkShare.covers(this.#bulkBatchMs())
    if (interactive.size > 0 && !bulkIsDue) {
      this.#bulkWaits = bulk.size > 0
      return interactive.take((rows, length) => this.#fits(rows, length, interactiveBatchMsMax))
    }
    if (bulk.size === 0 || (interactiveComing && !bulkIsDue)) return []
    return bulk.take((rows, length) => this.#fits(rows, length, bulkBatchMsMax))
  }

  #fits(rows: number, length: number, msMax: number | undefined): boolean {
    if (rows * length > this.#limits.batchTokensMax) return false
    return msMax === undefined || rows <= this.#cost.rowsWithin(msMax, length)
  }

  /** @param ms that the batch took which was taken last */
  batchEnded(lane: Lane, ms: number): void {
    if (lane === 'bulk') this.#bulkShare.ran(ms)
    else if (this.#bulkWaits) this.#bulkShare.waited(ms)
  }

  /** About what the next bulk batch takes. */
  #bulkBatchMs(): number {
    const { size, seed } = this.#lanes.bulk
    const length = seed?.length ?? 0
    const all = size * length * (this.#cost.msPerToken(length) ?? 0)
    return Math.min(all, this.#limits.bulkBatchMsMax)
  }
}
