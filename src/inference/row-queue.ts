/** A row in the queue. */
export interface Waiting<Row> {
  readonly row: Row
  /** The lowest turn comes first. */
  readonly turn: number
  /** Between equal turns, order of arrival. */
  readonly arrival: number
}

/**
 * Share of a batch that may be padding, with this many tokens free in small batches: filling up with rows of other
 * lengths saves a batch's fixed cost, but padding is computed for nothing.
 */
const PADDING_SHARE_MAX = 0.1
const PADDING_FREE_TOKENS = 64

/** Rows of one kind, kept by length; batches are cut around the row whose turn it is. */
export class RowQueue<Row extends { readonly length: number }> {
  /** Ascending by length, equal lengths by arrival. */
  #rows: Waiting<Row>[] = []
  #arrivals = 0

  get size(): number {
    return this.#rows.length
  }

  /** Queues a row. */
  push(row: Row, turn: number): void {
    let low = 0
    let high = this.#rows.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#rows[middle]!.row.length <= row.length) low = middle + 1
      else high = middle
    }
    this.#rows.splice(low, 0, { row, turn, arrival: this.#arrivals++ })
  }

  /** Takes out all rows that `matches`. */
  remove(matches: (row: Row) => boolean): void {
    this.#rows = this.#rows.filter(({ row }) => !matches(row))
  }

  /** The row whose turn it is. */
  first(): Waiting<Row> | undefined {
    let first = this.#rows[0]
    for (const each of this.#rows) if (isBefore(each, first!)) first = each
    return first
  }

  /**
   * Takes a batch: the row whose turn it is and the rows nearest to it in length, as many as `fits` allows.
   *
   * @param fits whether `rows` rows padded to `length` tokens make an acceptable batch; a single row is always taken
   */
  take(fits: (rows: number, length: number) => boolean): Row[] {
    const rows = this.#rows
    const seed = this.first()
    if (!seed) return []
    let first = rows.indexOf(seed)
    let end = first + 1
    let tokens = seed.row.length
    while (first > 0 || end < rows.length) {
      const count = end - first
      const longest = rows[end - 1]!.row.length
      const shorter = rows[first - 1]?.row
      const longer = rows[end]?.row
      const paddingBelow = shorter ? longest - shorter.length : Number.POSITIVE_INFINITY
      const paddingAbove = longer ? (longer.length - longest) * count : Number.POSITIVE_INFINITY
      const below = paddingBelow <= paddingAbove
      const next = (below ? shorter : longer)!
      const length = Math.max(longest, next.length)
      const padded = (count + 1) * length
      const padding = padded - tokens - next.length
      if (padding > PADDING_FREE_TOKENS && padding > padded * PADDING_SHARE_MAX) break
      if (!fits(count + 1, length)) break
      tokens += next.length
      if (below) first--
      else end++
    }
    return rows.splice(first, end - first).map(({ row }) => row)
  }
}

/** Whether one waiting row comes before another. */
export function isBefore(one: Waiting<unknown>, other: Waiting<unknown>): boolean {
  return one.turn < other.turn || (one.turn === other.turn && one.arrival < other.arrival)
}
