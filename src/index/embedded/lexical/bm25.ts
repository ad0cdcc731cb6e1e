/** How soon more of one word says no more, and how much a document's length counts: the constants of SQLite's FTS5. */
export const K1 = 1.2
export const B = 0.75
/** What one place in the title counts, against one in the text. */
export const TITLE_WEIGHT = 2

/**
 * How much a term says: less, the more documents have it; above 0 for every term (Lucene's form of Robertson and Sparck
 * Jones's).
 */
export function idf(documents: number, withTerm: number): number {
  return Math.log(1 + (documents - withTerm + 0.5) / (withTerm + 0.5))
}

/**
 * The share of a term in the score of a document, without its idf (Robertson & Zaragoza, "The Probabilistic Relevance
 * Framework: BM25 and Beyond", 2009).
 *
 * @param count of the term's places, those in the title by their weight
 * @param length of title and text in terms
 * @param meanLength of all documents
 */
export function saturation(count: number, length: number, meanLength: number): number {
  return (count * (K1 + 1)) / (count + K1 * (1 - B + (B * length) / meanLength))
}
