import type { LiveConnection } from '../database/live-connection.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import type { QueryTerm } from './analyzer.ts'
import { TITLE_WEIGHT } from './bm25.ts'
import { inWords } from './words-damage.ts'

/** Places of a term that are read in one go: about 12 ms. What stands more often is read by its documents only. */
const PLACES_MAX = 32_768
/** Documents of such a term that are read in one go. */
export const CHUNK = 8192

/** Terms of more documents than this are kept in memory until the next write: reading them again costs more than a millisecond. */
const KEPT_MIN = 1024
/** Documents of all terms that are kept: 8 bytes each. */
const KEPT_MAX = 2 ** 21

/** The documents that have a term, each once, and how often they have it: places in the title by their weight. */
export interface TermDocuments {
  documents: ArrayLike<number>
  counts: ArrayLike<number>
}

type Places = TermDocuments & { cut: boolean }

/** Reads where terms stand. Every method throws WordsDamaged. */
export class TermReader {
  readonly #db: LiveConnection
  readonly #table: Pick<VectorTable, 'version'>
  /** Oldest first, all of one version of the table. */
  readonly #kept = new Map<string, Places>()
  #version = 0
  #size = 0

  constructor(db: LiveConnection, table: Pick<VectorTable, 'version'>) {
    this.#db = db
    this.#table = table
  }

  /** Whole unless `cut`: then the places in the first documents only. */
  places(term: QueryTerm): Places {
    if (this.#version !== this.#table.version) this.#forget()
    const key = `${term.prefix} ${term.term}`
    const found = this.#kept.get(key) ?? this.#read(term)
    const { length } = found.documents
    if (length < KEPT_MIN) return found
    this.#size += this.#kept.delete(key) ? 0 : length
    this.#kept.set(key, found)
    for (const [oldest, { documents }] of this.#kept) {
      if (this.#size <= KEPT_MAX) break
      this.#kept.delete(oldest)
      this.#size -= documents.length
    }
    return found
  }

  #forget(): void {
    this.#kept.clear()
    this.#size = 0
    this.#version = this.#table.version
  }

  #read({ term, prefix }: QueryTerm): Places {
    // Two numbers as one: SQLite gives one column quicker than two.
    const from = "SELECT doc * 2 + (col = 'title') FROM word_places WHERE"
    const places = inWords(() =>
      prefix
        ? this.#db
            .prepare(`${from} term >= ? AND term < ? LIMIT ${PLACES_MAX + 1}`, 'values')
            .all(term, `${term}\u{10ffff}`)
        : this.#db.prepare(`${from} term = ? LIMIT ${PLACES_MAX + 1}`, 'values').all(term),
    ) as number[]
    const { documents, counts } = prefix ? byDocument(places) : inOrder(places)
    return {
      documents: Uint32Array.from(documents),
      counts: Float32Array.from(counts),
      cut: places.length > PLACES_MAX,
    }
  }

  /** Documents that have a term, in the order of their keys, at most CHUNK of them. @param after key of the one before */
  documents({ word }: QueryTerm, after: number): number[] {
    const sql = `SELECT rowid FROM words WHERE words MATCH ? AND rowid > ? LIMIT ${CHUNK}`
    const quoted = `"${word.replaceAll('"', '""')}"`
    return inWords(() => this.#db.prepare(sql, 'values').all(quoted, after)) as number[]
  }
}

/** The places of one term come in the order of documents. */
function inOrder(places: number[]) {
  const documents: number[] = []
  const counts: number[] = []
  let last = 0
  for (const place of places) {
    const document = Math.floor(place / 2)
    const weight = place % 2 === 0 ? 1 : TITLE_WEIGHT
    if (document !== last) {
      documents.push(document)
      counts.push(weight)
      last = document
    } else counts[counts.length - 1]! += weight
  }
  return { documents, counts }
}

function byDocument(places: number[]) {
  const counts = new Map<number, number>()
  for (const place of places) {
    const document = Math.floor(place / 2)
    counts.set(document, (counts.get(document) ?? 0) + (place % 2 === 0 ? 1 : TITLE_WEIGHT))
  }
  return { documents: [...counts.keys()], counts: [...counts.values()] }
}
