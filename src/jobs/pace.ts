/** Over how long a rate is taken. */
const WINDOW_MS = 30_000
/** Between two figures that are remembered. */
const SAMPLE_MS = 500

/** How quickly something grows, lately. */
export class Pace {
  readonly #samples: { at: number; done: number }[] = []

  /** @param at milliseconds of a clock that only goes forward */
  add(done: number, at: number): void {
    const last = this.#samples.at(-1)
    if (last && this.#samples.length > 1 && at - this.#samples.at(-2)!.at < SAMPLE_MS) this.#samples.pop()
    this.#samples.push({ at, done })
    while (this.#samples[0]!.at < at - WINDOW_MS) this.#samples.shift()
  }

  /** A second; undefined while nobody can say. */
  get rate(): number | undefined {
    const [first] = this.#samples
    const last = this.#samples.at(-1)
    if (!first || !last || last.at <= first.at) return undefined
    return ((last.done - first.done) * 1000) / (last.at - first.at)
  }
}
