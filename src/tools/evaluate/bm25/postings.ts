const CAPACITY_MIN = 4

/** Which documents hold a term, and how often: eight bytes an entry. */
export class Postings {
  /** document, count, document, count, ... */
  #pairs = new Uint32Array(2 * CAPACITY_MIN)
  length = 0

  add(document: number, count: number): void {
    if (2 * this.length === this.#pairs.length) {
      const grown = new Uint32Array(2 * this.#pairs.length)
      grown.set(this.#pairs)
      this.#pairs = grown
    }
    this.#pairs[2 * this.length] = document
    this.#pairs[2 * this.length + 1] = count
    this.length++
  }

  document(entry: number): number {
    return this.#pairs[2 * entry]!
  }

  count(entry: number): number {
    return this.#pairs[2 * entry + 1]!
  }
}
