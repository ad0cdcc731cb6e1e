import type { Candidates, Leg, Shares } from './candidates.ts'

/**
 * Weighted sum of the legs' scores, each counted from its floor in units of its own for this query: share = weight *
 * (score - floor) / unit. The floor is the score of a document that the leg did not bring: 0 where words found fewer
 * than was asked for, since no other has any of them; else the last candidate's, which no other exceeds.
 *
 * - `range`: from the floor to the first candidate, so that a leg counts from 0 to 1 (min-max). Fox & Shaw,
 *   "Combination of multiple searches", TREC-2, 1994 (CombSUM).
 * - `deviation`: the standard deviation over the candidates of both legs, so that a leg whose first candidates stand out
 *   counts for more than one that finds all alike (z-scores; their mean only moves all by the same). Montague & Aslam,
 *   "Relevance score normalization for metasearch", CIKM 2001 (ZMUV).
 *
 * @param weight of the dense leg; the lexical one has 1 - weight
 */
export function scaledScores(
  candidates: Candidates,
  { weight, unit }: { weight: number; unit: 'range' | 'deviation' },
): Shares {
  const documents = new Set([...candidates.dense, ...candidates.lexical].map(({ id }) => id)).size
  const scaled = (leg: Leg, legWeight: number) => {
    const hits = candidates[leg]
    const isAll = leg === 'lexical' && hits.length < candidates.asked
    const floor = isAll ? 0 : (hits.at(-1)?.score ?? 0)
    const above = hits.map(({ score }) => score - floor)
    const size = unit === 'range' ? (above[0] ?? 0) : deviation(above, documents)
    // Where all are alike, none stands out, and all count as the first.
    return above.map((height) => legWeight * (size > 0 ? height / size : 1))
  }
  return { dense: scaled('dense', weight), lexical: scaled('lexical', 1 - weight) }
}

/** Of `count` numbers, those that are not given being 0. */
function deviation(values: readonly number[], count: number): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / count
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return Math.sqrt((squares + (count - values.length) * mean ** 2) / count)
}
