import { stemmer } from 'stemmer'
import type { ScoredDocument } from '../figures/retrieval-metrics.ts'
import { Postings } from './postings.ts'

/** Saturation of the term count, and how far a document's length is held against it: BEIR's and Anserini's values. */
export const BM25_PARAMETERS = { k1: 0.9, b: 0.4 } as const

/**
 * Okapi BM25 over one field (Robertson & Zaragoza 2009), with the idf of Lucene, log(1 + (N - n + 0.5) / (n + 0.5)),
 * which is never negative, and Porter's stemmer: English words lose their endings, words of other scripts stay as they
 * are. The lexical baseline beside a model, not a search of the service's. The queries are known
 * beforehand, so only their terms are indexed.
 */
export class Bm25 {
  /** word as written -> its term's postings; only of terms that a query has */
  readonly #postings = new Map<string, Postings>()
  readonly #written = new Map<string, Postings | undefined>()
  readonly #ids: string[] = []
  readonly #lengths: number[] = []
  #lengthSum = 0
  #scores = new Float64Array(0)

  constructor(queries: Iterable<string>) {
    for (const query of queries) {
      for (const word of words(query)) {
        const term = stemmer(word)
        if (!this.#postings.has(term)) this.#postings.set(term, new Postings())
      }
    }
  }

  add(id: string, text: string): void {
    const document = this.#ids.length
    const all = words(text)
    const counts = new Map<Postings, number>()
    for (const word of all) {
      const postings = this.#postingsOf(word)
      if (postings) counts.set(postings, (counts.get(postings) ?? 0) + 1)
    }
    for (const [postings, count] of counts) postings.add(document, count)
    this.#ids.push(id)
    this.#lengths.push(all.length)
    this.#lengthSum += all.length
  }

  /** The k best documents that share a word with the query, in no particular order. */
  search(query: string, k: number): ScoredDocument[] {
    if (this.#scores.length !== this.#ids.length) this.#scores = new Float64Array(this.#ids.length)
    const scores = this.#scores
    const touched: number[] = []
    // A word that stands twice in a query counts twice.
    for (const word of words(query)) this.#addScores(this.#postings.get(stemmer(word))!, touched)
    const least = leastOf(touched, scores, k)
    const best: ScoredDocument[] = []
    for (const document of touched) {
      if (scores[document]! >= least) best.push({ id: this.#ids[document]!, score: scores[document]! })
      scores[document] = 0
    }
    return best
  }

  #addScores(postings: Postings, touched: number[]): void {
    const { k1, b } = BM25_PARAMETERS
    const documents = this.#ids.length
    const idf = Math.log(1 + (documents - postings.length + 0.5) / (postings.length + 0.5))
    const meanLength = this.#lengthSum / documents
    for (let entry = 0; entry < postings.length; entry++) {
      const document = postings.document(entry)
      const count = postings.count(entry)
      const norm = k1 * (1 - b + (b * this.#lengths[document]!) / meanLength)
      if (this.#scores[document] === 0) touched.push(document)
      this.#scores[document]! += (idf * count * (k1 + 1)) / (count + norm)
    }
  }

  /** Stemming is the slow part, and a corpus repeats its words. */
  #postingsOf(word: string): Postings | undefined {
    if (!this.#written.has(word)) this.#written.set(word, this.#postings.get(stemmer(word)))
    return this.#written.get(word)
  }
}

/** Runs of letters and digits in lower case. No stop words: BM25 weighs them down by itself. */
function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}

/** The k-th best score; ties with it come back too. */
function leastOf(documents: readonly number[], scores: Float64Array, k: number): number {
  if (documents.length <= k) return 0
  const sorted = Float64Array.from(documents, (document) => scores[document]!).sort()
  return sorted[sorted.length - k]!
}
