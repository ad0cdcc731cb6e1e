import type { Hit } from '../../index/document-index.ts'
import type { Candidates, Shares } from './candidates.ts'

/**
 * Weighted sum of the legs' scores, each leg's brought to 0 (its last candidate) to 1 (its first) for this query:
 * (score - min) / (max - min). A document that a leg did not bring has 0 there, as its last one.
 * Source: Fox & Shaw, "Combination of multiple searches", TREC-2, 1994 (CombSUM), with the usual normalisation.
 *
 * @param weight of the dense leg; the lexical one has 1 - weight
 */
export function weightedScores({ dense, lexical }: Candidates, { weight }: { weight: number }): Shares {
  return { dense: scaled(dense, weight), lexical: scaled(lexical, 1 - weight) }
}

function scaled(hits: readonly Hit[], weight: number): number[] {
  const max = hits[0]?.score ?? 0
  const width = max - (hits.at(-1)?.score ?? 0)
  // Where all are equal, all are first.
  return hits.map(({ score }) => weight * (width > 0 ? 1 - (max - score) / width : 1))
}
