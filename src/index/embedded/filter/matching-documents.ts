import type { VectorTable } from '../vectors/vector-table.ts'
import type { Bitset } from './bitset.ts'

/** The documents of one moment that match a filter, by their keys; all live ones without a filter. */
export class MatchingDocuments {
  readonly #table: VectorTable
  readonly #slots: Bitset | undefined
  readonly #newest: number
  /** Whether documents have come since that moment of which nobody knows whether they match. */
  disturbed = false

  /** @param slots of the matching documents' first passages, at this moment */
  constructor(table: VectorTable, slots: Bitset | undefined) {
    this.#table = table
    this.#slots = slots
    this.#newest = table.newest
  }

  has(document: number): boolean {
    const slot = this.#table.slot(document)
    if (slot === undefined) return false
    if (!this.#slots) return true
    // A slot that matched may have been given to a later document.
    if (document <= this.#newest) return this.#slots.has(slot)
    this.disturbed = true
    return false
  }

  /** Their keys, if they are no more than that. */
  atMost(max: number): number[] | undefined {
    if (!this.#slots || this.#slots.count() > max) return undefined
    return Array.from(this.#slots.members(), (slot) => this.#table.document(slot))
  }
}
