/** A passage and its score. */
export interface Candidate {
  label: number
  /** Key of its document. */
  document: number
  score: number
}

const SLACK = 1024

/**
 * The k best documents of a stream of passages, each by its best passage, and all that tie with the last of them:
 * which of equal ones come first is decided by id, and ids are looked up for these few only.
 */
export class TopHits {
  readonly #k: number
  #kept: Candidate[] = []
  #threshold: number
  #pruneAt: number

  /** @param floor least score that counts */
  constructor(k: number, floor: number) {
    this.#k = k
    this.#threshold = floor
    this.#pruneAt = k * 2 + SLACK
  }

  offer(label: number, document: number, score: number): void {
    if (score < this.#threshold) return
    this.#kept.push({ label, document, score })
    if (this.#kept.length >= this.#pruneAt) this.best()
  }

  /** Best first; more than k where the k-th ties. */
  best(): Candidate[] {
    this.#kept.sort((a, b) => b.score - a.score || a.label - b.label)
    this.#dropRepeats()
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

  /** Of each document only its best passage stays. */
  #dropRepeats(): void {
    const seen = new Set<number>()
    this.#kept = this.#kept.filter(({ document }) => !seen.has(document) && seen.add(document))
  }
}
