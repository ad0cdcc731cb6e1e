/**
 * Keeps account of how much work the bulk lane has coming: while both lanes have work, it is to get at least its
 * share, and is let in front only for work that it has earned by waiting. Work is counted in milliseconds of batches.
 */
export class BulkShare {
  readonly #share: number
  #earned = 0

  /** @param percent of the work that is bulk's while both lanes wait */
  constructor(percent: number) {
    this.#share = percent / 100
  }

  /** Whether a bulk batch of about `work` has been earned. */
  covers(work: number): boolean {
    return this.#share > 0 && this.#earned > 0 && this.#earned >= (1 - this.#share) * work
  }

  /** An interactive batch ran while bulk work waited. */
  waited(work: number): void {
    this.#earned += this.#share * work
  }

  /** A bulk batch ran. */
  ran(work: number): void {
    this.#earned = Math.max(0, this.#earned - (1 - this.#share) * work)
  }
}
