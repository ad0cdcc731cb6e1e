import type { Passage } from '../../document.ts'
import type { Excerpts } from '../../document-index.ts'
import type { DateFields } from '../../metadata/dates.ts'
import type { Facet } from '../../metadata/facets.ts'
import type { Place } from '../../metadata/sort.ts'
import type { CooperativeScheduler, TimeSlice } from '../cooperative-scheduler.ts'
import type { RowReader } from '../database/checked-rows.ts'
import type { LiveConnection } from '../database/live-connection.ts'
import type { FilterIndex } from '../filter/filter-index.ts'
import { MatchingDocuments } from '../filter/matching-documents.ts'
import type { StoredDocuments } from '../integrity/stored-documents.ts'
import type { IndexLimits } from '../limits.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import type {
  CountCall,
  ExcerptsCall,
  FacetsCall,
  GetCall,
  IdsCall,
  ScanCall,
  ScanReply,
  WireFields,
} from '../wire.ts'
import { excerptsOf } from './excerpts.ts'
import { FacetCounter } from './facet-counter.ts'
import { OrderedDocuments } from './ordered-documents.ts'
import { fieldsOf, ReadBudget } from './read-budget.ts'

/** Times a page is filled again because documents were replaced under it. */
const RETRIES_MAX = 3

export interface ReaderParts {
  /** Reads what is committed, and so do the rows. */
  db: LiveConnection
  rows: RowReader
  table: VectorTable
  dates: DateFields
  filters: FilterIndex
  stored: StoredDocuments
  scheduler: CooperativeScheduler
  limits: Pick<IndexLimits, 'answerBytesMax'>
}

/** The reads that need no scoring. */
export class Reader {
  readonly #parts: ReaderParts
  readonly #ordered: OrderedDocuments
  readonly #facets: FacetCounter

  constructor(parts: ReaderParts) {
    this.#parts = parts
    this.#ordered = new OrderedDocuments(parts.db, parts.rows)
    this.#facets = new FacetCounter(parts)
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

  /**
   * One page in its order, shorter where documents are large; damaged ones are left out. Again where documents were
   * replaced under it, and at last without those.
   */
  async scan(call: ScanCall, signal: AbortSignal): Promise<ScanReply> {
    const slice = await this.#begin(signal)
    for (let attempt = 0; ; attempt++) {
      const { page, disturbed } = await this.#page(call, slice)
      if (!disturbed || attempt === RETRIES_MAX) return page
    }
  }

  async #page(
    { after, limit, filter, sort, fields }: ScanCall,
    slice: TimeSlice,
  ): Promise<{ page: ScanReply; disturbed: boolean }> {
    const { table, filters, stored, limits } = this.#parts
    const budget = new ReadBudget(limits.answerBytesMax)
    const within = new MatchingDocuments(table, filter && (await filters.matching(filter, slice)))
    const page: ScanReply = { documents: [] }
    // A document whose metadata changes while the page is filled may come again under its new value.
    const seen = new Set<number>()
    let last: Place | undefined
    for await (const { document, place } of this.#ordered.after(after, sort, within, slice)) {
      if (seen.has(document)) continue
      // Under another id than its own it would be out of order.
      const row = stored.byKey(document)
      if (row?.id !== place.id) {
        if (!table.has(document)) within.disturbed = true
        continue
      }
      const asked = fieldsOf(row, fields)
      if (page.documents.length === limit || !budget.fits(asked)) {
        if (last) page.next = last
        break
      }
      seen.add(document)
      page.documents.push({ id: place.id, ...asked })
      last = place
    }
    return { page, disturbed: within.disturbed }
  }

  async excerpts({ wishes }: ExcerptsCall, signal: AbortSignal): Promise<(Excerpts | undefined)[]> {
    const budget = new ReadBudget(this.#parts.limits.answerBytesMax)
    return this.#each(wishes, signal, (wish) => excerptsOf(this.#parts, wish, budget))
  }

  async count({ filter }: CountCall, signal: AbortSignal): Promise<number> {
    const { table, filters } = this.#parts
    const slice = await this.#begin(signal)
    return filter ? (await filters.matching(filter, slice)).members().length : table.documents
  }

  async facets(call: FacetsCall, signal: AbortSignal): Promise<Facet[]> {
    return this.#facets.count(call, await this.#begin(signal))
  }

  async #each<W, T>(wanted: readonly W[], signal: AbortSignal, read: (one: W) => T): Promise<T[]> {
    const slice = await this.#begin(signal)
    const found: T[] = []
    for (const one of wanted) {
      found.push(read(one))
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
