import type { Filter } from '../filter.ts'
import type { JsonScalar } from '../json.ts'
import { dateOf } from './dates.ts'

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
  /** Earliest and latest of the dates, in a field of dates. */
  dates?: { min: string; max: string }
}

/** Takes in the values of one field, smallest first, and keeps the most frequent ones: memory does not grow with the values. */
export class FacetTally {
  readonly #limit: number
  #values: FacetValue[] = []
  #last: FacetValue | undefined
  #distinct = 0
  #numbers: Facet['numbers']
  #dates: Facet['dates']
  readonly #hasDates: boolean

  /** @param hasDates strings are instants (dates.ts), and come back as dates */
  constructor(limit: number, hasDates: boolean) {
    this.#limit = limit
    this.#hasDates = hasDates
  }

  /** One document's value; values come in the order of compareScalars. */
  add(stored: JsonScalar, count = 1): void {
    const isDate = this.#hasDates && typeof stored === 'string'
    const value = isDate ? dateOf(stored) : stored
    if (this.#last && this.#last.value === value) {
      this.#last.count += count
      return
    }
    this.#keepLast()
    this.#last = { value, count }
    this.#distinct++
    if (typeof value === 'number') this.#numbers = { min: this.#numbers?.min ?? value, max: value }
    if (isDate) this.#dates = { min: this.#dates?.min ?? dateOf(stored), max: dateOf(stored) }
  }

  result(): Facet {
    this.#keepLast()
    this.#last = undefined
    this.#cut()
    return {
      values: this.#values,
      distinct: this.#distinct,
      ...(this.#numbers && { numbers: this.#numbers }),
      ...(this.#dates && { dates: this.#dates }),
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
