import { FairOrder } from './fair-order.ts'
import { isBefore, RowQueue } from './row-queue.ts'

export interface LaneRow {
  /** Tokens to run. */
  readonly length: number
  /** Rows of one batch have the same kind: an encoder's rows for one prompt and for both do not mix. */
  readonly kind: number
  /** Whose row it is: clients take turns. */
  readonly client: string
}

/** The rows of one lane, in a queue for each kind. */
export class RowLane<Row extends LaneRow> {
  readonly #queues = new Map<number, RowQueue<Row>>()
  readonly #order = new FairOrder()

  get size(): number {
    let size = 0
    for (const queue of this.#queues.values()) size += queue.size
    return size
  }

  /** The row around which the next batch is cut. */
  get seed(): Row | undefined {
    return this.#next()?.first()?.row
  }

  /** Queues a row. */
  push(row: Row): void {
    const queue = this.#queues.get(row.kind) ?? new RowQueue()
    this.#queues.set(row.kind, queue)
    queue.push(row, this.#order.turnOf(row.client, row.length))
  }

  /** Takes out all rows that `matches`. */
  remove(matches: (row: Row) => boolean): void {
    for (const queue of this.#queues.values()) queue.remove(matches)
    this.#forget()
  }

  /** Takes a batch of the kind whose turn it is; see `RowQueue.take`. */
  take(fits: (rows: number, length: number) => boolean): Row[] {
    const queue = this.#next()
    const first = queue?.first()
    if (!queue || !first) return []
    this.#order.reached(first.turn)
    const rows = queue.take(fits)
    this.#forget()
    return rows
  }

  #next(): RowQueue<Row> | undefined {
    let next: RowQueue<Row> | undefined
    for (const queue of this.#queues.values()) {
      const first = queue.first()
      if (first && (!next || isBefore(first, next.first()!))) next = queue
    }
    return next
  }

  #forget(): void {
    if (this.size === 0) this.#order.reset()
  }
}
