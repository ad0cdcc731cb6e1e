import { ServiceError } from '../../errors.ts'
import type { SearchMode } from '../../index/collection-settings.ts'
import type { Hit, SearchOptions } from '../../index/document-index.ts'
import { flaggedIndexes } from '../embed.ts'
import { FUSION_DEFAULT, type FusedHit, type Fusion, fuse } from '../fuse/fuse.ts'
import { type Reranked, type RerankOutcome, type RerankWish, rerankHits } from '../rerank/rerank-hits.ts'
import { rerankerOf } from '../rerank/reranker-of.ts'
import type { Retrieval, Timings } from '../retrieval.ts'
import { withDocuments } from './documents.ts'
import { type Highlights, highlightStep } from './highlight.ts'
import { askLegs, type Leg, type LegName } from './legs.ts'
import { type ModeWish, modeOf } from './mode.ts'
import { questionsOf } from './target.ts'

/** Candidates beyond those wanted, where documents are read later: they stand in for what is deleted meanwhile. */
const SPARE_CANDIDATES = 16

export interface SearchRequest extends ModeWish {
  k: number
  /** Whether the reranker has the last word on the first hits. */
  rerank?: RerankWish
  /** Whether hits say where the words of their query stand. */
  highlight?: boolean
  options: Omit<SearchOptions, 'floor'>
}

/** A document that was found. */
export type FoundHit = Pick<Hit, 'id' | 'score' | 'passage' | 'document'> &
  Partial<Pick<FusedHit, 'legs'>> & { rerank?: Reranked; highlights?: Highlights }

/** What one query found, best first. */
export interface Found {
  hits: FoundHit[]
  /** How the dense leg was answered, or the lexical one where it was alone, in the engine's own word. */
  path: string
}

export interface SearchTimings extends Timings, Partial<Record<LegName, number>> {
  fusion?: number
  rerank?: number
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
  /** Where the reranker was wanted. */
  rerank?: RerankOutcome
  timings: SearchTimings
}

/**
 * The k best documents of each target, in steps: what is asked, the candidates of each leg, one list of them, its
 * first hits reranked, its documents. A `like` search leaves the document itself out.
 * @throws ServiceError INVALID_INPUT, NO_RERANKER, NOT_FOUND (`like`, the reranker's model), and what encoder and index
 *   throw
 */
export async function search(retrieval: Retrieval, request: SearchRequest): Promise<SearchAnswer> {
  const started = performance.now()
  const { index, limits } = retrieval
  const { k, fusion = FUSION_DEFAULT, minScore } = request
  const mode = modeOf(request, index)
  const questions = questionsOf(retrieval, request.target)
  const highlight = request.highlight ? highlightStep(index, questions.terms, request.options) : undefined
  const options = highlight?.options ?? request.options
  const rerank = request.rerank && rerankStep(retrieval, request.rerank, questions.terms, options.signal)
  const both = mode === 'hybrid'
  const inSteps = both || rerank !== undefined

  const wanted = Math.max(k, request.rerank?.topN ?? 0) + (inSteps ? SPARE_CANDIDATES : 0)
  const depth = both ? Math.max(limits.hybridCandidates, wanted) : wanted
  const { legs, encoded } = await askLegs(index, questions, mode, questions.excluded ? depth + 1 : depth, {
    ...options,
    // One leg brings the answer with its documents in one call; of more candidates than that most are no answers.
    ...(inSteps && { fields: [] }),
    ...(minScore !== undefined && { floor: minScore }),
  })
  const asked = performance.now()
  const ranked: FoundHit[][] = both ? fused(legs, depth, fusion) : legs[0]!.results.map(({ hits }) => hits)
  const lists = ranked.map((list) => list.filter(({ id }) => id !== questions.excluded))
  const ordered = performance.now()
  const reranked = await rerank?.(lists)
  const reordered = performance.now()
  const answers = inSteps
    ? await withDocuments(index, reranked?.lists ?? lists, k, options)
    : lists.map((list) => list.slice(0, k))
  const shown = highlight ? await highlight.mark(answers) : answers
  const ended = performance.now()

  const { tokenizeMs = 0, queueMs = 0, inferenceMs = 0 } = encoded.timings ?? {}
  return {
    mode,
    batches: shown.map((hits, i) => ({ hits, path: legs[0]!.results[i]!.path })),
    truncated: encoded.truncated ? flaggedIndexes(encoded.truncated) : [],
    mostlyUnknown: encoded.mostlyUnknown ? flaggedIndexes(encoded.mostlyUnknown) : [],
    ...(reranked && { rerank: reranked.outcome }),
    timings: {
      tokenize: tokenizeMs,
      queue: queueMs,
      inference: inferenceMs,
      search: Math.max(0, ended - started - tokenizeMs - queueMs - inferenceMs - (reordered - ordered)),
      ...Object.fromEntries(legs.map(({ name, ms }) => [name, ms])),
      ...(both && { fusion: ordered - asked }),
      ...(reranked && { rerank: reordered - ordered }),
      ...(inSteps && { documents: ended - reordered }),
      total: ended - started,
    },
  }
}

/**
 * Checks what is wanted of the reranker; the step itself then reorders one list a query.
 * @throws ServiceError INVALID_INPUT, NO_RERANKER, NOT_FOUND
 */
function rerankStep(
  retrieval: Retrieval,
  wish: RerankWish,
  queries: readonly string[],
  signal = new AbortController().signal,
) {
  const reranker = rerankerOf(retrieval, wish.model, 'rerank.model')
  if (queries.length === 0) {
    const message = 'A vector and a document have no words to rerank by; send query or queries, or no rerank.'
    throw new ServiceError('INVALID_INPUT', message, { field: 'rerank' })
  }
  return (lists: readonly FoundHit[][]) => rerankHits(retrieval, reranker, queries, lists, wish, signal)
}

/** One list a query. */
function fused(legs: readonly Leg[], asked: number, fusion: Fusion): FusedHit[][] {
  const resultsOf = (leg: LegName) => legs.find(({ name }) => name === leg)!.results
  const lexical = resultsOf('lexical')
  return resultsOf('dense').map(({ hits }, i) =>
    fuse({ dense: hits, lexical: lexical[i]!.hits, asked }, fusion),
  )
}
