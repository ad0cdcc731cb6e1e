import { comparePlaces, type Place, type SortKey, type SortValue } from '../../metadata/sort.ts'
import type { TimeSlice } from '../cooperative-scheduler.ts'
import type { RowReader } from '../database/checked-rows.ts'
import type { LiveConnection } from '../database/live-connection.ts'
import { LABEL_MAX } from '../database/rows.ts'
import type { MatchingDocuments } from '../filter/matching-documents.ts'
import { SCALARS_END, type SqlValue, scalarOf, sqlPath, sqlValue } from '../filter/value-codec.ts'

/** Rows looked at in one go. */
const CHUNK = 512
/** So many documents are put in order in memory; more are read in the order of an index. */
const SORTED_MAX = 4096

const DIRECTIONS = {
  asc: { follows: '>', sql: 'ASC' },
  desc: { follows: '<', sql: 'DESC' },
} as const

export interface PlacedDocument {
  document: number
  place: Place
}

/** Whether a document is wanted, by its key. */
type Wanted = (document: number) => boolean

interface Walk {
  matching: MatchingDocuments
  slice: TimeSlice
}

/** Documents with the same value of a field; without members where there are too many of them to be listed. */
interface Group {
  value: SortValue
  members?: number[]
}

/**
 * Documents in the order of their metadata or ids, one after another, each by the indexes of the database, so that the
 * first ones are there without the others having been looked at.
 */
export class OrderedDocuments {
  readonly #db: LiveConnection
  readonly #rows: RowReader

  /** @param db reads what is committed, and so do the rows */
  constructor(db: LiveConnection, rows: RowReader) {
    this.#db = db
    this.#rows = rows
  }

  /** Those that match and stand after a place, in order; all that match without one. */
  after(
    place: Place | undefined,
    sort: readonly SortKey[],
    matching: MatchingDocuments,
    slice: TimeSlice,
  ): AsyncIterable<PlacedDocument> {
    const few = sort.length > 0 ? matching.atMost(SORTED_MAX) : undefined
    const walk = { matching, slice }
    if (few) return this.#sorted(few, sort, place, walk)
    return this.#walk((document) => matching.has(document), sort, place, walk)
  }

  async *#walk(
    wanted: Wanted,
    sort: readonly SortKey[],
    after: Place | undefined,
    walk: Walk,
  ): AsyncGenerator<PlacedDocument> {
    const [key, ...rest] = sort
    if (!key) {
      yield* this.#byId(wanted, after?.id ?? '', walk)
      return
    }
    const from = after?.values[0]
    const inside = after && { id: after.id, values: after.values.slice(1) }
    if (!after || from !== undefined) {
      for await (const { value, members } of this.#groups(key, wanted, from, walk)) {
        const same: Wanted = (document) => wanted(document) && this.#value(key, document) === value
        const start = value === from ? inside : undefined
        const group = members ? this.#sorted(members, rest, start, walk) : this.#walk(same, rest, start, walk)
        yield* withValue(value, group)
      }
    }
    const without: Wanted = (document) => wanted(document) && this.#value(key, document) === undefined
    yield* withValue(undefined, this.#walk(without, rest, from === undefined ? inside : undefined, walk))
  }

  /** The documents of each value in its order, from one value on. */
  async *#groups(key: SortKey, wanted: Wanted, from: SortValue, { slice }: Walk): AsyncGenerator<Group> {
    const { follows, sql } = DIRECTIONS[key.order]
    const [before, behind] = key.order === 'asc' ? [0, LABEL_MAX + 1] : [LABEL_MAX + 1, 0]
    let after: [SqlValue, number] | undefined = from === undefined ? undefined : [sqlValue(from), before]
    let group: { value: SortValue; members: number[] } | undefined
    for (;;) {
      const bound = after ? `AND (value, document) ${follows} (?, ?)` : ''
      const rows = this.#db
        .prepare(
          `SELECT value, document FROM metadata_values WHERE path = ? AND value < ? ${bound} ORDER BY value ${sql}, document ${sql} LIMIT ${CHUNK}`,
          'lists',
        )
        .all(sqlPath(key.path), SCALARS_END, ...(after ?? [])) as [SqlValue, number][]
      let skipped: SqlValue | undefined
      for (const [stored, document] of rows) {
        const value = scalarOf(stored)
        if (group?.value !== value || !group) {
          if (group && group.members.length > 0) yield group
          group = { value, members: [] }
        }
        if (!wanted(document) || this.#value(key, document) !== value) continue
        group.members.push(document)
        if (group.members.length > SORTED_MAX) {
          skipped = stored
          break
        }
      }
      if (skipped !== undefined) {
        yield { value: scalarOf(skipped) }
        group = undefined
        after = [skipped, behind]
      } else if (rows.length < CHUNK) {
        if (group && group.members.length > 0) yield group
        return
      } else after = rows.at(-1)
      await slice.pause()
    }
  }

  /** A few documents, put in order. */
  async *#sorted(
    documents: readonly number[],
    sort: readonly SortKey[],
    after: Place | undefined,
    { matching, slice }: Walk,
  ): AsyncGenerator<PlacedDocument> {
    const found: PlacedDocument[] = []
    for (const document of documents) {
      const id = this.#rows.uncheckedId(document)
      if (typeof id !== 'string') {
        // Replaced meanwhile, or damaged.
        matching.disturbed = true
        continue
      }
      const place = { id, values: sort.map((key) => this.#value(key, document)) }
      if (!after || comparePlaces(sort, place, after) > 0) found.push({ document, place })
      await slice.pause()
    }
    yield* found.sort((a, b) => comparePlaces(sort, a.place, b.place))
  }

  async *#byId(wanted: Wanted, after: string, { slice }: Walk): AsyncGenerator<PlacedDocument> {
    let last = after
    for (;;) {
      const chunk = this.#rows.idsAfter(last, CHUNK)
      for (const { id, document } of chunk) {
        last = id
        if (wanted(document)) yield { document, place: { id, values: [] } }
      }
      if (chunk.length < CHUNK) return
      await slice.pause()
    }
  }

  /** What a document is sorted by. */
  #value({ path, order }: SortKey, document: number): SortValue {
    const sql = `SELECT value FROM metadata_values INDEXED BY metadata_values_by_document
      WHERE path = ? AND document = ? AND value < ? ORDER BY value ${DIRECTIONS[order].sql} LIMIT 1`
    const value = this.#db.prepare(sql, 'values').get(sqlPath(path), document, SCALARS_END)
    return value === undefined ? undefined : scalarOf(value as SqlValue)
  }
}

async function* withValue(
  value: SortValue,
  group: AsyncIterable<PlacedDocument>,
): AsyncGenerator<PlacedDocument> {
  for await (const { document, place } of group) {
    yield { document, place: { id: place.id, values: [value, ...place.values] } }
  }
}
