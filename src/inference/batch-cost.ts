/** Padded tokens over which a rate is averaged: old batches fade at this pace. */
const MEMORY_TOKENS = 16_384
/** How much more a token is assumed to cost in rows twice as long, until measured (attention grows with length). */
const GROWTH = 1.3

/**
 * What batches cost on this machine: milliseconds a padded token, apart for each doubling of the row length, from
 * the batches run so far.
 */
export class BatchCost {
  readonly #ms: number[] = []
  readonly #tokens: number[] = []

  /** Takes in a batch of `rows` rows padded to `length` tokens, which took `ms`. */
  observe(rows: number, length: number, ms: number): void {
    const tokens = rows * length
    const lengthClass = classOf(length)
    const kept = Math.exp(-tokens / MEMORY_TOKENS)
    this.#ms[lengthClass] = (this.#ms[lengthClass] ?? 0) * kept + ms
    this.#tokens[lengthClass] = (this.#tokens[lengthClass] ?? 0) * kept + tokens
  }

  /** Milliseconds a padded token in rows of `length` tokens; undefined before anything was measured. */
  msPerToken(length: number): number | undefined {
    const wanted = classOf(length)
    let nearest: number | undefined
    for (const known of this.#tokens.keys()) {
      if (!this.#tokens[known]) continue
      if (nearest === undefined || Math.abs(known - wanted) < Math.abs(nearest - wanted)) nearest = known
    }
    if (nearest === undefined) return undefined
    return (this.#ms[nearest]! / this.#tokens[nearest]!) * GROWTH ** Math.max(0, wanted - nearest)
  }

  /** Rows of `length` tokens that fit into `ms`; at least one. */
  rowsWithin(ms: number, length: number): number {
    const perToken = this.msPerToken(length)
    if (!perToken) return 1
    return Math.max(1, Math.floor(ms / (perToken * length)))
  }
}

function classOf(length: number): number {
  return Math.ceil(Math.log2(Math.max(8, length)))
}
