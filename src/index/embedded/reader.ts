import type { Passage } from '../document.ts'
import type { Filter } from '../filter.ts'
import type { CooperativeScheduler, TimeSlice } from './cooperative-scheduler.ts'
import type { RowReader } from './database/rows.ts'
import type { FilterIndex } from './filter/filter-index.ts'
import type { VectorTable } from './vectors/vector-table.ts'
import type { IdsCall, ScanCall, ScanReply, WireDocument } from './wire.ts'

/** Ids looked at in one go while a filtered page is filled. */
const CHUNK = 1024

export interface ReaderParts {
  table: VectorTable
  filters: FilterIndex
  rows: RowReader
  scheduler: CooperativeScheduler
}

/** The reads that need no scoring. */
export class Reader {
  readonly #parts: ReaderParts

  constructor(parts: ReaderParts) {
    this.#parts = parts
  }

  get({ ids }: IdsCall, signal: AbortSignal): Promise<(WireDocument | undefined)[]> {
    return this.#each(ids, signal, (id) => this.#parts.rows.byId(id))
  }

  passages({ ids }: IdsCall, signal: AbortSignal): Promise<(Passage[] | undefined)[]> {
    const { rows, table } = this.#parts
    return this.#each(ids, signal, (id) => {
      const key = rows.keyOf(id)
      if (key === undefined) return undefined
      return table.labelsOf(key).map((label) => {
        return { span: rows.span(label)!, vector: table.vector(table.slot(label)!).slice() }
      })
    })
  }

  /** One page in id order. */
  async scan({ after, limit, filter }: ScanCall, signal: AbortSignal): Promise<ScanReply> {
    const { rows } = this.#parts
    const slice = await this.#begin(signal)
    const matching = filter && (await this.#matchingKeys(filter, slice))
    const documents: WireDocument[] = []
    let last = after
    for (;;) {
      const chunk = rows.idsAfter(last, filter ? CHUNK : Math.min(CHUNK, limit - documents.length + 1))
      for (const { id, document } of chunk) {
        last = id
        if (matching && !matching.has(document)) continue
        if (documents.length === limit) return { documents, more: true }
        const row = rows.byKey(document)
        if (row) documents.push(row)
      }
      if (chunk.length === 0) return { documents, more: false }
      await slice.pause()
    }
  }

  /** Keys, unlike slots, stay with their documents while a page is filled. */
  async #matchingKeys(filter: Filter, slice: TimeSlice): Promise<Set<number>> {
    const { filters, table } = this.#parts
    const matching = await filters.matching(filter, slice)
    return new Set(Array.from(matching.members(), (slot) => table.document(slot)))
  }

  async #each<T>(ids: string[], signal: AbortSignal, read: (id: string) => T): Promise<T[]> {
    const slice = await this.#begin(signal)
    const found: T[] = []
    for (const id of ids) {
      found.push(read(id))
      await slice.pause()
    }
    return found
  }

  async #begin(signal: AbortSignal): Promise<TimeSlice> {
    const slice = this.#parts.scheduler.slice('interactive', signal)
    await slice.yield()
    return slice
  }
}
