import type { Hit } from '../../index/document-index.ts'
import { compareHits } from '../../index/order.ts'
import type { Candidates, Shares } from './candidates.ts'
import { reciprocalRanks } from './reciprocal-ranks.ts'
import { scaledScores } from './scaled-scores.ts'

/** How the legs of a hybrid search become one list. */
export type Fusion =
  /** @param k how little the first ranks stand out */
  | { method: 'rrf'; k: number }
  /** Both: @param weight of the dense leg, 0 to 1; the lexical leg has the rest */
  | { method: 'weighted'; weight: number }
  | { method: 'zscore'; weight: number }

/** The value of the method's authors. */
export const RRF_K = 60

/** Of a method that takes one: both legs count the same. */
export const WEIGHT = 0.5

/** The best of those measured: docs/hybrid.md. */
export const FUSION_DEFAULT: Fusion = { method: 'zscore', weight: WEIGHT }

/** Where a leg put a document, counted from 1, and its score there. */
export interface Place {
  rank: number
  score: number
}

/** A document that any leg found. */
export interface FusedHit extends Pick<Hit, 'id' | 'score' | 'passage'> {
  /** Absent where the leg did not bring it. */
  legs: { dense?: Place; lexical?: Place }
}

/** The documents of both legs in one order, best first; equal scores by id. Linear in the candidates, but for sorting. */
export function fuse(candidates: Candidates, fusion: Fusion): FusedHit[] {
  const shares = sharesOf(candidates, fusion)
  const fused = new Map<string, FusedHit & { most: number }>()
  for (const leg of ['dense', 'lexical'] as const) {
    for (const [i, { id, score, passage }] of candidates[leg].entries()) {
      const share = shares[leg][i]!
      const place = { rank: i + 1, score }
      const hit = fused.get(id)
      if (!hit) {
        fused.set(id, { id, score: share, passage, legs: { [leg]: place }, most: share })
        continue
      }
      hit.score += share
      hit.legs[leg] = place
      // The passage that says most for the document is the one to show.
      if (share > hit.most) hit.passage = passage
    }
  }
  return Array.from(fused.values(), ({ most: _, ...hit }) => hit).sort(compareHits)
}

function sharesOf(candidates: Candidates, fusion: Fusion): Shares {
  if (fusion.method === 'rrf') return reciprocalRanks(candidates, fusion)
  const unit = fusion.method === 'weighted' ? 'range' : 'deviation'
  return scaledScores(candidates, { weight: fusion.weight, unit })
}
