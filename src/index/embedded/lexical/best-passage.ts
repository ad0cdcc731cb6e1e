import type { Span } from '../../document.ts'
import type { Analyzer, QueryTerm } from './analyzer.ts'
import { saturation } from './bm25.ts'

/** A term of a query, and how much it says. */
export interface WeightedTerm {
  query: QueryTerm
  weight: number
}

/**
 * The ordinal of the passage that a query's words fit best: by BM25 among the passages of one document, their lengths
 * in characters. The first where several fit as well.
 */
export function bestPassage(
  text: string,
  spans: readonly Span[],
  terms: readonly WeightedTerm[],
  analyzer: Analyzer,
): number {
  const mean = spans.reduce((sum, { start, end }) => sum + end - start, 0) / spans.length
  const texts = spans.map(({ start, end }) => text.slice(start, end))
  const scores = spans.map(() => 0)
  const counts = analyzer.counts(
    texts,
    terms.map(({ query }) => query),
  )
  for (const [t, { weight }] of terms.entries()) {
    for (const [i, { start, end }] of spans.entries()) {
      const count = counts[t]![i]!
      if (count > 0) scores[i]! += weight * saturation(count, end - start, mean)
    }
  }
  return scores.indexOf(Math.max(...scores))
}
