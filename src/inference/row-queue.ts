/** One row waiting to be run. */
export interface WaitingRow {
  /** Tokens to run. */
  readonly length: number
  /** Order of arrival. */
  readonly sequence: number
}

/**
 * Share of a batch that may be padding, with this many tokens free in small batches: filling up with rows of other
 * lengths saves a batch's fixed cost, but padding is computed for nothing.
 */
const PADDING_SHARE_MAX = 0.1
const PADDING_FREE_TOKENS = 64

/** Rows of one kind, kept by length; batches are cut around the row that waits longest. */
export class RowQueue<Row extends WaitingRow> {
  /** Ascending by length, equal lengths by arrival. */
  #rows: Row[] = []

  get size(): number {
    return this.#rows.length
  }

  /** Queues a row. */
  push(row: Row): void {
    let low = 0
    let high = this.#rows.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#rows[middle]!.length <= row.length) low = middle + 1
      else high = middle
    }
    this.#rows.splice(low, 0, row)
  }

  /** Takes out all rows that `matches`. */
  remove(matches: (row: Row) => boolean): Row[] {
    const removed = this.#rows.filter(matches)
    if (removed.length > 0) this.#rows = this.#rows.filter((row) => !matches(row))
    return removed
  }

  /** The row that waits longest. */
  oldest(): Row | undefined {
    let oldest = this.#rows[0]
    for (const row of this.#rows) if (row.sequence < oldest!.sequence) oldest = row
    return oldest
  }

  /**
   * Takes a batch: the row that waits longest and the rows nearest to it in length, as many as `fits` allows.
   *
   * @param fits whether `rows` rows padded to `length` tokens make an acceptable batch; a single row is always taken
   */
  take(fits: (rows: number, length: number) => boolean): Row[] {
    const rows = this.#rows
    const seed = this.oldest()
    if (!seed) return []
    let first = rows.indexOf(seed)
    let end = first + 1
    let tokens = seed.length
    while (first > 0 || end < rows.length) {
      const count = end - first
      const longest = rows[end - 1]!.length
      const shorter = rows[first - 1]
      const longer = rows[end]
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
    return rows.splice(first, end - first)
  }
}
