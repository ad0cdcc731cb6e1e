/** A vector and its score. */
export interface Candidate {
  label: number
  score: number
}

const SLACK = 1024

/**
 * The k best of a stream of candidates, and all that tie with the last of them: which of equal ones come first is
 * decided by id, and ids are looked up for these few only.
 */
export class TopHits {
  readonly #k: number
  #kept: Candidate[] = []
  #threshold: number
  #pruneAt: number

  constructor(k: number, minScore: number) {
    this.#k = k
    this.#threshold = minScore
    this.#pruneAt = k * 2 + SLACK
  }

  offer(label: number, score: number): void {
    if (score < this.#threshold) return
    this.#kept.push({ label, score })
    if (this.#kept.length >= this.#pruneAt) this.best()
  }

  /** Best first; more than k where the k-th ties. */
  best(): Candidate[] {
    this.#kept.sort((a, b) => b.score - a.score)
    const last = this.#kept[this.#k - 1]
    if (last) {
      this.#threshold = last.score
      let end = this.#k
      while (this.#kept[end]?.score === last.score) end++
      this.#kept.length = end
    }
    this.#pruneAt = this.#kept.length * 2 + SLACK
    return this.#kept
  }
}
