import type { LiveConnection } from '../database/live-connection.ts'
import type { QueryTerm } from './analyzer.ts'
import { TITLE_WEIGHT } from './bm25.ts'
import { inWords } from './words-damage.ts'

/** Places of a term that are read in one go: about 12 ms. What stands more often is read by its documents only. */
const PLACES_MAX = 32_768
/** Documents of such a term that are read in one go. */
export const CHUNK = 8192

/** The documents that have a term, each once, and how often they have it: places in the title by their weight. */
export interface TermDocuments {
  documents: number[]
  counts: number[]
}

/** Reads where terms stand. Every method throws WordsDamaged. */
export class TermReader {
  readonly #db: LiveConnection

  constructor(db: LiveConnection) {
    this.#db = db
  }

  /** Whole unless `cut`: then the places in the first documents only. */
  places({ term, prefix }: QueryTerm): TermDocuments & { cut: boolean } {
    // Two numbers as one: SQLite gives one column quicker than two.
    const from = "SELECT doc * 2 + (col = 'title') FROM word_places WHERE"
    const places = inWords(() =>
      prefix
        ? this.#db
            .prepare(`${from} term >= ? AND term < ? LIMIT ${PLACES_MAX + 1}`, 'values')
            .all(term, `${term}\u{10ffff}`)
        : this.#db.prepare(`${from} term = ? LIMIT ${PLACES_MAX + 1}`, 'values').all(term),
    ) as number[]
    const found = prefix ? byDocument(places) : inOrder(places)
    return { ...found, cut: places.length > PLACES_MAX }
  }

  /** Documents that have a term, in the order of their keys, at most CHUNK of them. @param after key of the one before */
  documents({ word }: QueryTerm, after: number): number[] {
    const sql = `SELECT rowid FROM words WHERE words MATCH ? AND rowid > ? LIMIT ${CHUNK}`
    const quoted = `"${word.replaceAll('"', '""')}"`
    return inWords(() => this.#db.prepare(sql, 'values').all(quoted, after)) as number[]
  }
}

/** The places of one term come in the order of documents. */
function inOrder(places: number[]): TermDocuments {
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

function byDocument(places: number[]): TermDocuments {
  const counts = new Map<number, number>()
  for (const place of places) {
    const document = Math.floor(place / 2)
    counts.set(document, (counts.get(document) ?? 0) + (place % 2 === 0 ? 1 : TITLE_WEIGHT))
  }
  return { documents: [...counts.keys()], counts: [...counts.values()] }
}
