import type { Passage } from '../../document.ts'
import type { Filter } from '../../filter.ts'
import type { CooperativeScheduler, TimeSlice } from '../cooperative-scheduler.ts'
import type { RowReader } from '../database/checked-rows.ts'
import type { FilterIndex } from '../filter/filter-index.ts'
import type { StoredDocuments } from '../integrity/stored-documents.ts'
import type { IndexLimits } from '../limits.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import type { CountCall, GetCall, IdsCall, ScanCall, ScanReply, WireFields } from '../wire.ts'
import { fieldsOf, ReadBudget } from './read-budget.ts'

/** Ids looked at in one go while a filtered page is filled. */
const CHUNK = 1024

export interface ReaderParts {
  table: VectorTable
  filters: FilterIndex
  rows: RowReader
  stored: StoredDocuments
  scheduler: CooperativeScheduler
  limits: Pick<IndexLimits, 'answerBytesMax'>
}

/** The reads that need no scoring. */
export class Reader {
  readonly #parts: ReaderParts

  constructor(parts: ReaderParts) {
    this.#parts = parts
  }

  /** @throws ServiceError DOCUMENT_DAMAGED, TOO_LARGE */
  get({ ids, fields }: GetCall, signal: AbortSignal): Promise<(WireFields | undefined)[]> {
    const { stored, limits } = this.#parts
    const budget = new ReadBudget(limits.answerBytesMax)
    return this.#each(ids, signal, (id) => {
      const found = stored.byId(id)
      return found && (budget.take(found, fields) ?? {})
    })
  }

  passages({ ids }: IdsCall, signal: AbortSignal): Promise<(Passage[] | undefined)[]> {
    return this.#each(ids, signal, (id) => this.#parts.stored.passagesOf(id))
  }

  /** One page in id order, shorter where documents are large; damaged ones are left out. */
  async scan({ after, limit, filter, fields }: ScanCall, signal: AbortSignal): Promise<ScanReply> {
    const { rows, stored, limits } = this.#parts
    const budget = new ReadBudget(limits.answerBytesMax)
    const slice = await this.#begin(signal)
    const matching = filter && (await this.#matchingKeys(filter, slice))
    const documents: ScanReply['documents'] = []
    let last = after
    for (;;) {
      const chunk = rows.idsAfter(last, filter ? CHUNK : Math.min(CHUNK, limit - documents.length + 1))
      for (const { id, document } of chunk) {
        last = id
        if (matching && !matching.has(document)) continue
        if (documents.length === limit) return { documents, more: true }
        const row = stored.byKey(document)
        // Under another id than its own it would be out of order.
        if (!row || row.id !== id) continue
        const asked = fieldsOf(row, fields)
        if (!budget.fits(asked)) return { documents, more: true }
        documents.push({ id, ...asked })
      }
      if (chunk.length === 0) return { documents, more: false }
      await slice.pause()
    }
  }

  async count({ filter }: CountCall, signal: AbortSignal): Promise<number> {
    const { table, filters } = this.#parts
    const slice = await this.#begin(signal)
    return filter ? (await filters.matching(filter, slice)).members().length : table.documents
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
