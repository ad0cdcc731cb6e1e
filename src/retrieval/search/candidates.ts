import type { SearchMode } from '../../index/collection-settings.ts'
import type { DocumentIndex, Hit, SearchOptions } from '../../index/document-index.ts'
import { type FusedHit, type Fusion, fuse } from '../fuse/fuse.ts'
import { askLegs, type Leg, type LegName } from './legs.ts'
import type { Encoded, Questions } from './target.ts'

/** A document that was found, by one leg or by both. */
export type CandidateHit = Pick<Hit, 'id' | 'score' | 'passage' | 'document'> &
  Partial<Pick<FusedHit, 'legs'>>

export interface CandidatesWish {
  mode: SearchMode
  fusion: Fusion
  /** Candidates of each leg. */
  depth: number
  /**
   * So many candidates of each leg are fused first, then twice as many, and so on, each time behind those before: what
   * comes first then does not depend on the depth. Default: all at once.
   */
  tier?: number
  options: SearchOptions
}

export interface CandidateLists {
  /** One a query, best first. */
  lists: CandidateHit[][]
  legs: Leg[]
  encoded: Encoded
  /** When the legs had answered. */
  asked: number
}

/** What the legs of a mode bring, as one list for each query. @throws ServiceError what encoder and index throw */
export async function candidatesOf(
  index: DocumentIndex,
  questions: Questions,
  { mode, fusion, depth, tier = depth, options }: CandidatesWish,
): Promise<CandidateLists> {
  const { excluded } = questions
  const { legs, encoded } = await askLegs(index, questions, mode, depth + excluded.size, options)
  const asked = performance.now()
  const ranked: CandidateHit[][] =
    mode === 'hybrid' ? fused(legs, fusion, tier + excluded.size) : legs[0]!.results.map(({ hits }) => hits)
  const lists = ranked.map((list) => list.filter(({ id }) => !excluded.has(id)))
  return { lists, legs, encoded, asked }
}

/** The first depth that reaches so far, out of one tier doubled again and again; 0: just so far. */
export function tierOver(wanted: number, tier: number): number {
  if (tier === 0) return wanted
  let depth = tier
  while (depth < wanted) depth *= 2
  return depth
}

/** One list a query. */
function fused(legs: readonly Leg[], fusion: Fusion, tier: number): FusedHit[][] {
  const resultsOf = (leg: LegName) => legs.find(({ name }) => name === leg)!.results
  const lexical = resultsOf('lexical')
  return resultsOf('dense').map(({ hits: dense }, i) => {
    const { hits: words } = lexical[i]!
    const found = new Map<string, FusedHit>()
    for (let depth = tier; ; depth *= 2) {
      const upTo = { dense: dense.slice(0, depth), lexical: words.slice(0, depth), asked: depth }
      for (const hit of fuse(upTo, fusion)) if (!found.has(hit.id)) found.set(hit.id, hit)
      if (depth >= Math.max(dense.length, words.length)) return [...found.values()]
    }
  })
}
