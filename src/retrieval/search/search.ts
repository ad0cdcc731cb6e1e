import { ServiceError } from '../../errors.ts'
import type { SearchMode } from '../../index/collection-settings.ts'
import type { SearchOptions } from '../../index/document-index.ts'
import { flaggedIndexes } from '../embed.ts'
import { FUSION_DEFAULT } from '../fuse/fuse.ts'
import { type Reranked, type RerankOutcome, type RerankWish, rerankHits } from '../rerank/rerank-hits.ts'
import { rerankerOf } from '../rerank/reranker-of.ts'
import type { Retrieval, Timings } from '../retrieval.ts'
import { type CandidateHit, candidatesOf, tierOver } from './candidates.ts'
import { withDocuments } from './documents.ts'
import { type ExcerptsWanted, excerptStep, type WithExcerpts } from './excerpts.ts'
import { groupDepth, groupLists } from './group-lists.ts'
import type { Grouped, GroupWish } from './groups.ts'
import { type Highlights, highlightStep } from './highlight.ts'
import type { LegName } from './legs.ts'
import { type ModeWish, modeOf } from './mode.ts'
import { type Questions, questionsOf } from './target.ts'

/** Candidates beyond those wanted, where documents are read later: they stand in for what is deleted meanwhile. */
const SPARE_CANDIDATES = 16

export interface SearchRequest extends ModeWish {
  k: number
  /**
   * Hits (or groups) that are left out before the first one. Where it is given, 0 too, every match is scored, so that
   * pages fit each other.
   */
  offset?: number
  /** At most so many hits with one value of a field; k then counts groups. */
  group?: GroupWish
  /** Whether the reranker has the last word on the first hits. */
  rerank?: RerankWish
  /** Whether hits say where the words of their query stand. */
  highlight?: boolean
  /** The texts of passages. Default: none. */
  excerpts?: ExcerptsWanted | undefined
  options: Omit<SearchOptions, 'floor'>
}

/** A document that was found. */
export type FoundHit = WithExcerpts<Grouped<CandidateHit>> & { rerank?: Reranked; highlights?: Highlights }

/** What one query found, best first. */
export interface Found {
  hits: FoundHit[]
  /** How the dense leg was answered, or the lexical one where it was alone, in the engine's own word. */
  path: string
  /** Why there are no hits: the query could not be asked, the others were. */
  error?: ServiceError
}

export interface SearchTimings extends Timings, Partial<Record<LegName, number>> {
  fusion?: number
  rerank?: number
  documents?: number
}

export interface SearchAnswer {
  mode: SearchMode
  /** One per text; one for a vector or documents. */
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
 * first hits reranked, groups, one page, its documents. A `like` search leaves the documents that it names out.
 * @throws ServiceError INVALID_INPUT, NO_RERANKER, NOT_FOUND (`like`, the reranker's model), and what encoder and index
 *   throw
 */
export async function search(retrieval: Retrieval, request: SearchRequest): Promise<SearchAnswer> {
  const started = performance.now()
  const { index, limits } = retrieval
  const { k, offset = 0, group, fusion = FUSION_DEFAULT, minScore } = request
  const mode = modeOf(request, index)
  const questions = remembered(questionsOf(retrieval, request.target))
  const allFaulty = questions.places.length === 0
  const highlight =
    request.highlight && !allFaulty ? highlightStep(index, questions.terms, request.options) : undefined
  const options = highlight?.options ?? request.options
  const excerpts = excerptStep(index, questions, mode, request.excerpts, options)
  const rerank = rerankStep(retrieval, request, questions.terms, options.signal)
  const both = mode === 'hybrid'
  const inSteps = both || rerank !== undefined || offset > 0 || group !== undefined

  const wanted = Math.max(offset + k, request.rerank?.topN ?? 0) + (inSteps ? SPARE_CANDIDATES : 0)
  const least = both ? limits.hybridCandidates : 0
  const paged = request.offset !== undefined
  const wish = {
    mode,
    fusion,
    ...(paged && both && { tier: limits.hybridCandidates }),
    options: {
      ...options,
      // One leg brings the answer with its documents in one call; of more candidates than that most are no answers.
      ...(inSteps && { fields: [] }),
      ...(minScore !== undefined && { floor: minScore }),
      ...(paged && { tuning: { ...options.tuning, exact: true } }),
    },
  }
  const depth = group
    ? groupDepth(offset + k, group, least)
    : paged
      ? tierOver(wanted, least)
      : Math.max(wanted, least)
  const { lists, legs, encoded, asked } = await candidatesOf(index, questions, { ...wish, depth })
  const ordered = performance.now()
  const reranked = await rerank?.(lists)
  const reordered = performance.now()
  const whole: FoundHit[][] = group
    ? await groupLists(index, questions, { lists, legs }, { ...wish, depth, least, group, k, offset })
    : (reranked?.lists ?? lists).map((list) => list.slice(offset))
  const answers = inSteps
    ? await withDocuments(index, whole, group ? Number.POSITIVE_INFINITY : k, options)
    : whole.map((list) => list.slice(0, k))
  const marked = highlight ? await highlight.mark(answers) : answers
  const shown = excerpts ? await excerpts(marked) : marked
  const ended = performance.now()
  const places = (indexes: readonly number[]) => indexes.map((i) => questions.places[i]!)

  const { tokenizeMs = 0, queueMs = 0, inferenceMs = 0 } = encoded.timings ?? {}
  return {
    mode,
    batches: inPlaces(
      questions,
      shown.map((hits, i) => ({ hits, path: legs[0]!.results[i]!.path })),
    ),
    truncated: encoded.truncated ? places(flaggedIndexes(encoded.truncated)) : [],
    mostlyUnknown: encoded.mostlyUnknown ? places(flaggedIndexes(encoded.mostlyUnknown)) : [],
    ...(reranked && { rerank: { ...reranked.outcome, unranked: places(reranked.outcome.unranked) } }),
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
  { target, group, rerank: wish }: SearchRequest,
  queries: readonly string[],
  signal = new AbortController().signal,
) {
  if (!wish) return undefined
  const reranker = rerankerOf(retrieval, wish.model, 'rerank.model')
  if (group) {
    const message = 'Groups are made of hits as the search orders them; leave out rerank, or group_by.'
    throw new ServiceError('INVALID_INPUT', message, { field: 'rerank' })
  }
  if (target.kind !== 'texts') {
    const message = 'A vector and a document have no words to rerank by; send query or queries, or no rerank.'
    throw new ServiceError('INVALID_INPUT', message, { field: 'rerank' })
  }
  return (lists: readonly FoundHit[][]) => rerankHits(retrieval, reranker, queries, lists, wish, signal)
}

/** The same questions, whose vectors are made once. */
function remembered(questions: Questions): Questions {
  let vectors: ReturnType<Questions['vectors']> | undefined
  return {
    ...questions,
    vectors: (signal) => {
      vectors ??= questions.vectors(signal)
      return vectors
    },
  }
}

/** What was found, and the faults of the other texts, each in its place. */
function inPlaces({ places, faults }: Questions, found: readonly Found[]): Found[] {
  const batches: Found[] = []
  for (const [i, place] of places.entries()) batches[place] = found[i]!
  for (const [place, error] of faults) batches[place] = { hits: [], path: 'exact', error }
  return batches
}
