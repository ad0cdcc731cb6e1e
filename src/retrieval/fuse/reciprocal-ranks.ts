import type { Hit } from '../../index/document-index.ts'
import type { Candidates, Shares } from './candidates.ts'

/**
 * Reciprocal rank fusion: a document's score is the sum over legs of 1 / (k + rank), rank counted from 1. Scores of the
 * legs do not matter, so nothing has to be comparable.
 * Source: Cormack, Clarke & Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning
 * methods", SIGIR 2009, where k = 60.
 */
export function reciprocalRanks({ dense, lexical }: Candidates, { k }: { k: number }): Shares {
  const shares = (hits: readonly Hit[]) => hits.map((_, i) => 1 / (k + i + 1))
  return { dense: shares(dense), lexical: shares(lexical) }
}
