import type { Filter } from '../filter.ts'
import type { Slice, Turns } from './cooperative-scheduler.ts'
import type { Row, RowReader } from './database/rows.ts'
import type { FilterIndex } from './filter/filter-index.ts'
import type { VectorTable } from './vectors/vector-table.ts'
import type { ScanCall, ScanReply, WireDocument } from './wire.ts'

/** Ids looked at in one go while a filtered page is filled. */
const CHUNK = 1024

/** The reads that need no scoring. */
export class Reader {
  readonly #table: VectorTable
  readonly #filters: FilterIndex
  readonly #rows: RowReader
  readonly #turns: Turns

  constructor(parts: { table: VectorTable; filters: FilterIndex; rows: RowReader; turns: Turns }) {
    this.#table = parts.table
    this.#filters = parts.filters
    this.#rows = parts.rows
    this.#turns = parts.turns
  }

  async get(ids: string[]): Promise<(WireDocument | undefined)[]> {
    const slice = await this.#begin()
    const found: (WireDocument | undefined)[] = []
    for (const id of ids) {
      const row = this.#rows.byId(id)
      found.push(row && document(row))
      await slice.pause()
    }
    return found
  }

  async vectors(ids: string[]): Promise<(Float32Array | undefined)[]> {
    const slice = await this.#begin()
    const found: (Float32Array | undefined)[] = []
    for (const id of ids) {
      const label = this.#rows.labelOf(id)
      const slot = label === undefined ? undefined : this.#table.slot(label)
      found.push(slot === undefined ? undefined : this.#table.vector(slot).slice())
      await slice.pause()
    }
    return found
  }

  async count(filter: Filter | undefined): Promise<number> {
    const slice = await this.#begin()
    return filter ? (await this.#filters.matching(filter, slice)).count() : this.#table.size
  }

  /** One page in id order. */
  async scan({ after, limit, filter }: ScanCall): Promise<ScanReply> {
    const slice = await this.#begin()
    const labels = filter && (await this.#matchingLabels(filter, slice))
    const documents: WireDocument[] = []
    let last = after
    for (;;) {
      const chunk = this.#rows.idsAfter(last, filter ? CHUNK : Math.min(CHUNK, limit - documents.length + 1))
      for (const { id, label } of chunk) {
        last = id
        if (labels && !labels.has(label)) continue
        if (documents.length === limit) return { documents, more: true }
        const row = this.#rows.byLabel(label)
        if (row) documents.push(document(row))
      }
      if (chunk.length === 0) return { documents, more: false }
      await slice.pause()
    }
  }

  /** Labels, unlike slots, stay with their documents while a page is filled. */
  async #matchingLabels(filter: Filter, slice: Slice): Promise<Set<number>> {
    const matching = await this.#filters.matching(filter, slice)
    return new Set(Array.from(matching.members(), (slot) => this.#table.label(slot)))
  }

  async #begin(): Promise<Slice> {
    const slice = this.#turns.slice('interactive')
    await slice.yield()
    return slice
  }
}

function document({ id, text, title, metadata }: Row): WireDocument {
  return { id, text, title, metadata }
}
