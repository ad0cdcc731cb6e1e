import type { TimeSlice } from '../cooperative-scheduler.ts'
import type { QueryTerm } from './analyzer.ts'
import type { WeightedTerm } from './best-passage.ts'
import { idf, saturation } from './bm25.ts'
import type { DocumentLengths } from './document-lengths.ts'
import { CHUNK, type TermDocuments, type TermReader } from './term-documents.ts'

/** A word in more than this share of all documents is left out where there are rarer ones, and k documents have those. */
const FREQUENT_SHARE = 0.2
/** A word in no more documents than this is never left out. */
const FREQUENT_MIN = 10_000
/** Documents of all words together that are read, where more would change little. */
const DOCUMENTS_MAX = 250_000
/** Documents scored between two looks at the clock. */
const SCORES_PER_LOOK = 1024

export interface TermScoresParts {
  lengths: DocumentLengths
  terms: TermReader
  /** Highest key there is. */
  newest: number
  /** Whether a document may be an answer. */
  among: (document: number) => boolean
}

interface KnownTerm {
  query: QueryTerm
  /** How many documents have it: an estimate where `cut`. */
  documents: number
  read: TermDocuments
  cut: boolean
}

/** The scores of one query, term by term, the rarest first. */
export class TermScores {
  readonly #parts: TermScoresParts
  /** By the keys of documents. */
  readonly found = new Map<number, number>()
  /** Those that stand in any document. */
  terms: WeightedTerm[] = []

  constructor(parts: TermScoresParts) {
    this.#parts = parts
  }

  /** @returns `exact` unless frequent words were left out */
  async add(query: readonly QueryTerm[], k: number, slice: TimeSlice): Promise<'exact' | 'pruned'> {
    const known: KnownTerm[] = []
    for (const term of query) {
      known.push(this.#look(term))
      await slice.pause()
    }
    const ordered = known.filter(({ documents }) => documents > 0).sort((a, b) => a.documents - b.documents)
    this.terms = ordered.map((term) => ({ query: term.query, weight: this.#weight(term) }))
    const frequent = Math.max(FREQUENT_MIN, FREQUENT_SHARE * this.#parts.lengths.documents)
    let read = 0
    for (const term of ordered) {
      const rarer = (ordered[0]?.documents ?? 0) <= frequent && term.documents > frequent
      const enough = rarer || (read > 0 && read + term.documents > DOCUMENTS_MAX)
      if (enough && this.found.size >= k) return 'pruned'
      read += term.documents
      await this.#score(term, slice)
    }
    return 'exact'
  }

  #look(query: QueryTerm): KnownTerm {
    const { cut, ...read } = this.#parts.terms.places(query)
    const here = read.documents.length
    if (!cut || query.prefix) return { query, documents: here, read, cut: false }
    // As if the documents not looked at were like the others.
    const last = read.documents[here - 1]!
    return { query, documents: Math.round((here * this.#parts.newest) / last), read, cut }
  }

  #weight({ query, documents }: KnownTerm): number {
    const all = Math.max(this.#parts.lengths.documents, documents)
    return query.count * idf(all, documents)
  }

  async #score(term: KnownTerm, slice: TimeSlice): Promise<void> {
    const { terms } = this.#parts
    const { query, read, cut } = term
    const weight = this.#weight(term)
    if (!cut) return this.#offer(read, weight, slice)
    for (let last = 0; ; ) {
      const chunk = terms.documents(query, last)
      await this.#offer({ documents: chunk, counts: [] }, weight, slice)
      if (chunk.length < CHUNK) return
      last = chunk.at(-1)!
    }
  }

  async #offer({ documents, counts }: TermDocuments, weight: number, slice: TimeSlice): Promise<void> {
    const { lengths, among } = this.#parts
    for (let i = 0; i < documents.length; i++) {
      if (i % SCORES_PER_LOOK === 0) await slice.pause()
      const document = documents[i]!
      if (!among(document)) continue
      const length = lengths.of(document) ?? 0
      const score = weight * saturation(counts[i] ?? 1, length, lengths.mean)
      this.found.set(document, (this.found.get(document) ?? 0) + score)
    }
  }
}
