import type { Filter } from '../../filter.ts'
import type { JsonScalar } from '../../json.ts'
import type { TimeSlice } from '../cooperative-scheduler.ts'
import type { LiveConnection } from '../database/live-connection.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import { Bitset } from './bitset.ts'
import { conditions } from './conditions.ts'
import { type SqlValue, sqlPath, sqlValue } from './value-codec.ts'

/** Rows read in one go. */
const CHUNK = 4096
/** A set this small is tested document by document against the conditions that are left. */
const PROBES_MAX = 2048
/** Index rows that are read in the time one document is tested. */
const ROWS_PER_PROBE = 8

/** Results kept for filters that come again before the next write. */
const CACHED_MAX = 16
const CACHED_KEY_CHARS_MAX = 4096

/** Values of one `in` that are counted to estimate how many it matches. */
const COUNTED_MAX = 64
const FROM_DOCUMENT =
  'FROM metadata_values INDEXED BY metadata_values_by_document WHERE path = ? AND document = ?'

/**
 * Finds the documents that a filter matches, as the slots of their first passages. Each condition is a statement over the ordered index of metadata values,
 * with bound parameters only; `and`, `or`, `not` are done on sets of slots, so no filter can make SQLite plan badly.
 * Of several conditions that must all hold, the rarest is read and the others are only tested on what it left.
 */
export class FilterIndex {
  readonly #db: LiveConnection
  readonly #table: VectorTable
  readonly #cache = new Map<string, { version: number; found: Bitset }>()

  constructor(db: LiveConnection, table: VectorTable) {
    this.#db = db
    this.#table = table
  }

  /** Slots of the matching documents' first passages. @param slice absent: in one go */
  async matching(filter: Filter, slice?: TimeSlice): Promise<Bitset> {
    const key = JSON.stringify(filter)
    const cached = this.#cache.get(key)
    if (cached?.version === this.#table.version) return cached.found
    let { version } = this.#table
    let found = await this.#evaluate(filter, undefined, slice)
    // Slots may have changed hands between two slices: then what was read is no set of any one moment.
    while (this.#table.version !== version) {
      version = this.#table.version
      found = await this.#evaluate(filter, undefined, undefined)
    }
    this.#remember(key, { version, found })
    return found
  }

  /** Which of a few documents, by their keys, match; in one go, for filters of few conditions. */
  async among(filter: Filter, documents: Iterable<number>): Promise<(document: number) => boolean> {
    const within = new Bitset(this.#table.end)
    for (const document of documents) {
      const slot = this.#table.slot(document)
      if (slot !== undefined) within.add(slot)
    }
    const found = await this.#evaluate(filter, within, undefined)
    return (document) => found.has(this.#table.slot(document) ?? found.length)
  }

  /** After the database was rebuilt: what was read before may have been damaged. */
  forget(): void {
    this.#cache.clear()
  }

  #remember(key: string, result: { version: number; found: Bitset }): void {
    if (key.length > CACHED_KEY_CHARS_MAX) return
    this.#cache.delete(key)
    this.#cache.set(key, result)
    const [oldest] = this.#cache.keys()
    if (this.#cache.size > CACHED_MAX && oldest !== undefined) this.#cache.delete(oldest)
  }

  async #evaluate(filter: Filter, within: Bitset | undefined, slice: TimeSlice | undefined): Promise<Bitset> {
    await slice?.pause()
    switch (filter.kind) {
      case 'and':
        return this.#all(filter.filters, within, slice)
      case 'or': {
        let union = new Bitset(this.#table.end)
        for (const part of filter.filters) union = union.or(await this.#evaluate(part, within, slice))
        return union
      }
      case 'not':
        return (within ?? this.#everything()).without(await this.#evaluate(filter.filter, within, slice))
      default:
        return within ? this.#probe(filter, within, slice) : this.#read(filter, slice)
    }
  }

  async #all(filters: Filter[], within: Bitset | undefined, slice: TimeSlice | undefined): Promise<Bitset> {
    let result = within
    const ranked = within
      ? filters.map((filter) => ({ filter, rows: Number.POSITIVE_INFINITY }))
      : this.#ranked(filters)
    for (const { filter, rows } of ranked) {
      const left = result?.count() ?? Number.POSITIVE_INFINITY
      const probe = left <= PROBES_MAX && left * ROWS_PER_PROBE <= rows
      const part = await this.#evaluate(filter, probe ? result : undefined, slice)
      result = result ? result.and(part) : part
    }
    return result ?? this.#everything()
  }

  /** Rarest first. */
  #ranked(filters: Filter[]): { filter: Filter; rows: number }[] {
    const max = PROBES_MAX * ROWS_PER_PROBE
    const ranked = filters.map((filter) => ({ filter, rows: this.atMost(filter, max) }))
    return ranked.sort((a, b) => a.rows - b.rows)
  }

  /** All documents for which a condition holds. */
  async #read(filter: Filter, slice: TimeSlice | undefined): Promise<Bitset> {
    const found = new Bitset(this.#table.end)
    const path = sqlPath((filter as { path: string[] }).path)
    for (const { where, values } of conditions(filter)) {
      let after: [SqlValue, number] | undefined
      do {
        const from = after ? 'AND (value, document) > (?, ?)' : ''
        const rows = this.#statement(
          `SELECT value, document FROM metadata_values WHERE path = ? ${where} ${from} ORDER BY value, document LIMIT ${CHUNK}`,
        ).all(path, ...values, ...(after ?? [])) as [SqlValue, number][]
        for (const [, document] of rows) {
          const slot = this.#table.slot(document)
          if (slot !== undefined) found.add(slot)
        }
        after = rows[CHUNK - 1]
        await slice?.pause()
      } while (after)
    }
    return found
  }

  /** Those of a few documents for which a condition holds. */
  async #probe(filter: Filter, within: Bitset, slice: TimeSlice | undefined): Promise<Bitset> {
    const found = new Bitset(this.#table.end)
    const path = sqlPath((filter as { path: string[] }).path)
    const holds = filter.kind === 'in' ? this.#oneOf(filter.values) : this.#inside(filter)
    for (const slot of within.members()) {
      if (holds(path, this.#table.document(slot))) found.add(slot)
      await slice?.pause()
    }
    return found
  }

  #oneOf(values: JsonScalar[]): (path: string, document: number) => boolean {
    const key = (value: SqlValue) => (Buffer.isBuffer(value) ? value[0] : `${typeof value} ${value}`)
    const wanted = new Set(values.map((value) => key(sqlValue(value))))
    const statement = this.#statement(`SELECT value ${FROM_DOCUMENT}`)
    return (path, document) =>
      (statement.all(path, document) as [SqlValue][]).some(([value]) => wanted.has(key(value)))
  }

  #inside(filter: Filter): (path: string, document: number) => boolean {
    const [condition] = conditions(filter)
    if (!condition) return () => false
    const { where, values } = condition
    const statement = this.#statement(`SELECT 1 ${FROM_DOCUMENT} ${where} LIMIT 1`)
    return (path, document) => statement.get(path, document, ...values) !== undefined
  }

  /** A bound on the documents that match, from the index, that gives up counting past `max`. */
  atMost(filter: Filter, max: number): number {
    switch (filter.kind) {
      case 'not':
        return max + 1
      case 'and':
        return Math.min(max + 1, ...filter.filters.map((part) => this.atMost(part, max)))
      case 'or':
        return Math.min(
          max + 1,
          filter.filters.reduce((sum, part) => sum + this.atMost(part, max), 0),
        )
      default:
        return this.#rows(filter, max)
    }
  }

  #rows(filter: Filter & { path: string[] }, max: number): number {
    let rows = 0
    const some = conditions(filter)
    // Of a long list a part stands for the whole: this is only an estimate of what reading costs.
    const sample = some.slice(0, COUNTED_MAX)
    for (const { where, values } of sample) {
      const count = this.#statement(
        `SELECT count(*) FROM (SELECT 1 FROM metadata_values WHERE path = ? ${where} LIMIT ${max + 1})`,
      )
      rows += (count.get(sqlPath(filter.path), ...values) as [number])[0]
      if (rows > max) break
    }
    return Math.min(max + 1, sample.length > 0 ? Math.ceil((rows * some.length) / sample.length) : 0)
  }

  #everything(): Bitset {
    const all = new Bitset(this.#table.end)
    for (let slot = 0; slot < this.#table.end; slot++) {
      const label = this.#table.label(slot)
      if (label !== 0 && label === this.#table.document(slot)) all.add(slot)
    }
    return all
  }

  #statement(sql: string) {
    return this.#db.prepare(sql, 'lists')
  }
}
