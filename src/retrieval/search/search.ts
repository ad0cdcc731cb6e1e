import type { SearchMode } from '../../index/collection-settings.ts'
import type { Hit, SearchOptions } from '../../index/document-index.ts'
import { flaggedIndexes } from '../embed.ts'
import { FUSION_DEFAULT, type FusedHit, type Fusion, fuse } from '../fuse/fuse.ts'
import type { Retrieval, Timings } from '../retrieval.ts'
import { withDocuments } from './documents.ts'
import { askLegs, type Leg, type LegName } from './legs.ts'
import { type ModeWish, modeOf } from './mode.ts'
import { questionsOf } from './target.ts'

/** Candidates beyond k of each leg of a hybrid search: they stand in for documents deleted meanwhile. */
const SPARE_CANDIDATES = 16

export interface SearchRequest extends ModeWish {
  k: number
  options: Omit<SearchOptions, 'floor'>
}

/** A document that was found. */
export type FoundHit = Pick<Hit, 'id' | 'score' | 'passage' | 'document'> & Partial<Pick<FusedHit, 'legs'>>

/** What one query found, best first. */
export interface Found {
  hits: FoundHit[]
  /** How the dense leg was answered, or the lexical one where it was alone, in the engine's own word. */
  path: string
}

export interface SearchTimings extends Timings, Partial<Record<LegName, number>> {
  fusion?: number
  documents?: number
}

export interface SearchAnswer {
  mode: SearchMode
  /** One per text; one for a vector or a document. */
  batches: Found[]
  /** Indexes of the texts that were cut to the model's limit. */
  truncated: number[]
  /** Indexes of the texts that are mostly unknown tokens. */
  mostlyUnknown: number[]
  timings: SearchTimings
}

/**
 * The k best documents of each target, in steps: what is asked, the candidates of each leg, one list of them, its
 * documents. A `like` search leaves the document itself out.
 * @throws ServiceError INVALID_INPUT, NOT_FOUND (`like`), and what encoder and index throw
 */
export async function search(retrieval: Retrieval, request: SearchRequest): Promise<SearchAnswer> {
  const started = performance.now()
  const { index, limits } = retrieval
  const { k, fusion = FUSION_DEFAULT, minScore, options } = request
  const mode = modeOf(request, index)
  const questions = questionsOf(retrieval, request.target)
  const both = mode === 'hybrid'

  const depth = both ? Math.max(limits.hybridCandidates, k + SPARE_CANDIDATES) : k
  const { legs, encoded } = await askLegs(index, questions, mode, questions.excluded ? depth + 1 : depth, {
    ...options,
    // One leg brings the answer with its documents in one call; of two legs' candidates most are no answers.
    ...(both && { fields: [] }),
    ...(minScore !== undefined && { floor: minScore }),
  })
  const asked = performance.now()
  const ranked: FoundHit[][] = both ? fused(legs, fusion) : legs[0]!.results.map(({ hits }) => hits)
  const lists = ranked.map((list) => list.filter(({ id }) => id !== questions.excluded))
  const ordered = performance.now()
  const answers = both ? await withDocuments(index, lists, k, options) : lists.map((list) => list.slice(0, k))
  const ended = performance.now()

  const { tokenizeMs = 0, queueMs = 0, inferenceMs = 0 } = encoded.timings ?? {}
  return {
    mode,
    batches: answers.map((hits, i) => ({ hits, path: legs[0]!.results[i]!.path })),
    truncated: encoded.truncated ? flaggedIndexes(encoded.truncated) : [],
    mostlyUnknown: encoded.mostlyUnknown ? flaggedIndexes(encoded.mostlyUnknown) : [],
    timings: {
      tokenize: tokenizeMs,
      queue: queueMs,
      inference: inferenceMs,
      search: Math.max(0, ended - started - tokenizeMs - queueMs - inferenceMs),
      ...Object.fromEntries(legs.map(({ name, ms }) => [name, ms])),
      ...(both && { fusion: ordered - asked, documents: ended - ordered }),
      total: ended - started,
    },
  }
}

/** One list a query. */
function fused(legs: readonly Leg[], fusion: Fusion): FusedHit[][] {
  const resultsOf = (leg: LegName) => legs.find(({ name }) => name === leg)!.results
  const lexical = resultsOf('lexical')
  return resultsOf('dense').map(({ hits }, i) => fuse({ dense: hits, lexical: lexical[i]!.hits }, fusion))
}
