import type { Random } from '../index/random.ts'

/** What a part has tried and what went wrong. */
export class Tally {
  tries = 0
  readonly failures: string[] = []

  /** Counts one more thing tried. */
  tried(count = 1): void {
    this.tries += count
  }

  fail(what: string): void {
    this.failures.push(what)
  }

  /** One thing tried, and what it showed. */
  expect(holds: boolean, otherwise: string): void {
    this.tried()
    if (!holds) this.fail(otherwise)
  }
}

/** What a round works with. */
export interface Round {
  random: Random
  tally: Tally
  /** Folder of a small model. */
  model: string
  /** An empty folder, removed afterwards. */
  scratch: string
  /** `performance.now()` after which nothing more should be begun. */
  until: number
}

/** One kind of attack. Rounds are independent; each is repeatable by its seed, as far as time allows. */
export interface Part {
  /** What one try is, for the table. */
  tries: string
  round(round: Round): Promise<void>
}
