import type { Filter } from '../filter.ts'
import type { JsonScalar } from '../json.ts'

export interface FacetOptions {
  /** Which documents are counted. Default: all. */
  filter?: Filter
  /** Values of each field that come back. */
  limit: number
}

export interface FacetValue {
  value: JsonScalar
  /** Documents that have it: as many as match the filter `{field: value}`, so one with a list counts for each of its values. */
  count: number
}

/** What one metadata field holds, over the documents that match. */
export interface Facet {
  /** Most frequent first; equally frequent ones in the order of compareScalars (order.ts). */
  values: FacetValue[]
  /** How many different values there are, those left out of `values` included. Objects and lists are none. */
  distinct: number
  /** Smallest and largest of the numbers; absent where there are none. */
  numbers?: { min: number; max: number }
}

/** Takes in the values of one field, smallest first, and keeps the most frequent ones: memory does not grow with the values. */
export class FacetTally {
  readonly #limit: number
  #values: FacetValue[] = []
  #last: FacetValue | undefined
  #distinct = 0
  #numbers: { min: number; max: number } | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  /** One document's value; values come in the order of compareScalars. */
  add(value: JsonScalar, count = 1): void {
    if (this.#last && this.#last.value === value) {
      this.#last.count += count
      return
    }
    this.#keepLast()
    this.#last = { value, count }
    this.#distinct++
    if (typeof value === 'number') this.#numbers = { min: this.#numbers?.min ?? value, max: value }
  }

  result(): Facet {
    this.#keepLast()
    this.#last = undefined
    this.#cut()
    return {
      values: this.#values,
      distinct: this.#distinct,
      ...(this.#numbers && { numbers: this.#numbers }),
    }
  }

  #keepLast(): void {
    if (!this.#last) return
    this.#values.push(this.#last)
    if (this.#values.length >= 2 * this.#limit + 64) this.#cut()
  }

  /** The sort is stable, so that equally frequent values stay in their order. */
  #cut(): void {
    this.#values = this.#values.sort((a, b) => b.count - a.count).slice(0, this.#limit)
  }
}
