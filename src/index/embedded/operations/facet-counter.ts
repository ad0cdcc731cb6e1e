import type { JsonScalar } from '../../json.ts'
import type { DateFields } from '../../metadata/dates.ts'
import { type Facet, FacetTally } from '../../metadata/facets.ts'
import { compareScalars } from '../../order.ts'
import type { TimeSlice } from '../cooperative-scheduler.ts'
import type { LiveConnection } from '../database/live-connection.ts'
import type { Bitset } from '../filter/bitset.ts'
import type { FilterIndex } from '../filter/filter-index.ts'
import { SCALARS_END, type SqlValue, scalarOf, sqlPath } from '../filter/value-codec.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import type { FacetsCall } from '../wire.ts'

/** Rows read in one go. */
const CHUNK = 2048
/** So few matching documents are looked at one by one, where the field has more values than that in all. */
const PROBED_MAX = 512
/** Index rows that are read in the time one document is looked at. */
const ROWS_PER_PROBE = 8
/** Different values of documents looked at one by one; for more, the index is read in its order. */
const PROBED_VALUES_MAX = 65_536
/** Times counting begins again because documents were written meanwhile. */
const RETRIES_MAX = 2

export interface FacetCounterParts {
  /** Reads what is committed. */
  db: LiveConnection
  table: VectorTable
  dates: DateFields
  filters: FilterIndex
}

/** Counts documents by the values of a field, from the ordered index of metadata values. */
export class FacetCounter {
  readonly #parts: FacetCounterParts

  constructor(parts: FacetCounterParts) {
    this.#parts = parts
  }

  /** Again where documents were written meanwhile, and at last as it was found. @throws ServiceError ABORTED */
  async count({ paths, limit, filter }: FacetsCall, slice: TimeSlice): Promise<Facet[]> {
    const { table, filters } = this.#parts
    for (let attempt = 0; ; attempt++) {
      const matching = filter && (await filters.matching(filter, slice))
      const { version } = table
      const facets: Facet[] = []
      for (const path of paths) facets.push(await this.#facet(path, limit, matching, slice))
      if (table.version === version || attempt === RETRIES_MAX) return facets
    }
  }

  async #facet(
    path: string[],
    limit: number,
    matching: Bitset | undefined,
    slice: TimeSlice,
  ): Promise<Facet> {
    const found = matching && (await this.#probe(sqlPath(path), matching, slice))
    const tally = new FacetTally(limit, this.#parts.dates.has(path))
    if (!found) return this.#read(sqlPath(path), tally, matching, slice)
    const values = [...found].sort(([a], [b]) => compareScalars(a, b))
    for (const [value, count] of values) tally.add(value, count)
    return tally.result()
  }

  /** All values of a field, in the order of the index. */
  async #read(
    path: string,
    tally: FacetTally,
    matching: Bitset | undefined,
    slice: TimeSlice,
  ): Promise<Facet> {
    const { db, table } = this.#parts
    // A slot that matched may have been given to a later document.
    const { newest } = table
    const isCounted = (document: number) => {
      const slot = table.slot(document)
      return slot !== undefined && (!matching || (document <= newest && matching.has(slot)))
    }
    let after: [SqlValue, number] | undefined
    do {
      const from = after ? 'AND (value, document) > (?, ?)' : ''
      const rows = db
        .prepare(
          `SELECT value, document FROM metadata_values WHERE path = ? AND value < ? ${from} ORDER BY value, document LIMIT ${CHUNK}`,
          'lists',
        )
        .all(path, SCALARS_END, ...(after ?? [])) as [SqlValue, number][]
      for (const [value, document] of rows) if (isCounted(document)) tally.add(scalarOf(value))
      after = rows[CHUNK - 1]
      await slice.pause()
    } while (after)
    return tally.result()
  }

  /** The values of the matching documents, where those are few; undefined where reading the index is cheaper. */
  async #probe(
    path: string,
    matching: Bitset,
    slice: TimeSlice,
  ): Promise<Map<JsonScalar, number> | undefined> {
    const { db, table } = this.#parts
    const slots = matching.members()
    if (slots.length > PROBED_MAX || this.#isShort(path, slots.length * ROWS_PER_PROBE)) return undefined
    const statement = db.prepare(
      'SELECT value FROM metadata_values INDEXED BY metadata_values_by_document WHERE path = ? AND document = ? AND value < ?',
      'values',
    )
    const found = new Map<JsonScalar, number>()
    for (const document of Array.from(slots, (slot) => table.document(slot))) {
      for (const value of statement.all(path, document, SCALARS_END) as SqlValue[]) {
        const scalar = scalarOf(value)
        found.set(scalar, (found.get(scalar) ?? 0) + 1)
      }
      if (found.size > PROBED_VALUES_MAX) return undefined
      await slice.pause()
    }
    return found
  }

  /** Whether a field has fewer values than that in all. */
  #isShort(path: string, rows: number): boolean {
    const sql = 'SELECT 1 FROM metadata_values WHERE path = ? LIMIT 1 OFFSET ?'
    return this.#parts.db.prepare(sql, 'values').get(path, rows) === undefined
  }
}
