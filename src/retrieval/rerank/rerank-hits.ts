import { withDeadline } from '../../deadline.ts'
import { type ErrorCode, ServiceError, toServiceError } from '../../errors.ts'
import type { Span } from '../../index/document.ts'
import type { Reranker } from '../../reranker/reranker.ts'
import type { Retrieval } from '../retrieval.ts'
import { bestFirst, scoreTexts } from './score-texts.ts'
import { storedTexts } from './stored-texts.ts'

/** Queries at once: while the texts of one are scored, those of the next are read and queued. */
const QUERIES_AT_ONCE = 2

export interface RerankWish {
  /** How many of the first hits are scored again. */
  topN: number
  /** The model that the caller means, if it says so. */
  model?: string
  /** When the order has to be there at the latest, by `performance.now()`. */
  until: number
}

/** Why hits kept their order. */
export type NotReranked = 'deadline' | 'overloaded' | 'unavailable' | 'failed'

export interface RerankOutcome {
  /** Id of the model. */
  model: string
  /** Why some queries kept their order; absent where none did. */
  reason?: NotReranked
  /** What went wrong then, for the log. */
  fault?: ServiceError
  /** Indexes of the queries that kept their order. */
  unranked: number[]
  ms: number
}

/** What reranking did to a hit. */
export interface Reranked {
  /** The model's logit. */
  score: number
  /** The rank before, counted from 1. */
  formerRank: number
}

interface Candidate {
  id: string
  passage: Span
}

type MaybeReranked<C> = C & { rerank?: Reranked }

/**
 * Scores the first hits of each list again, by their best passages, and puts them in that order; the others follow as
 * they were. Where the reranker is late, full, gone or fails, lists keep their order, and the outcome says why.
 *
 * @param queries one a list
 * @throws ServiceError ABORTED when the signal fires
 */
export async function rerankHits<C extends Candidate>(
  { index, limits }: Retrieval,
  reranker: Reranker,
  queries: readonly string[],
  lists: readonly (readonly C[])[],
  { topN, until }: RerankWish,
  signal: AbortSignal,
): Promise<{ lists: MaybeReranked<C>[][]; outcome: RerankOutcome }> {
  const started = performance.now()
  const reordered = new Map<number, MaybeReranked<C>[]>()
  const stop = new AbortController()
  const stopped = AbortSignal.any([signal, stop.signal])
  let next = 0
  const take = async () => {
    for (let i = next++; i < lists.length; i = next++) {
      const first = lists[i]!.slice(0, topN)
      const texts = await storedTexts(index, first, { signal: stopped, leaveOutDamaged: true })
      const list = await inOrder(reranker, queries[i]!, first, texts, stopped)
      reordered.set(i, [...list, ...lists[i]!.slice(topN)])
    }
  }
  const late = () => {
    throw new ServiceError('ABORTED', 'The reranker took longer than it may (RERANK_MS_MAX).')
  }
  let fault: ServiceError | undefined
  try {
    const msMax = Math.min(limits.rerankMsMax, until - started)
    if (msMax <= 0) late()
    await withDeadline(Promise.all(Array.from({ length: QUERIES_AT_ONCE }, take)), msMax, late)
  } catch (thrown) {
    stop.abort()
    fault = toServiceError(thrown)
    if (signal.aborted) throw fault
  }
  return {
    lists: lists.map((list, i) => reordered.get(i) ?? [...list]),
    outcome: {
      model: reranker.card.id,
      ...(fault && { fault, reason: REASONS[fault.code] ?? 'failed' }),
      unranked: [...lists.keys()].filter((i) => !reordered.has(i)),
      ms: performance.now() - started,
    },
  }
}

const REASONS: Partial<Record<ErrorCode, NotReranked>> = {
  ABORTED: 'deadline',
  OVERLOADED: 'overloaded',
  TOO_LARGE: 'overloaded',
  UNAVAILABLE: 'unavailable',
}

/** Hits whose document is gone are left out. */
async function inOrder<C extends Candidate>(
  reranker: Reranker,
  query: string,
  hits: readonly C[],
  texts: readonly (string | undefined)[],
  signal: AbortSignal,
): Promise<MaybeReranked<C>[]> {
  const there = [...hits.keys()].filter((i) => texts[i] !== undefined)
  const { scores } = await scoreTexts(
    reranker,
    query,
    there.map((i) => texts[i]!),
    { lane: 'interactive', signal },
  )
  return bestFirst(scores).map((best) => {
    const i = there[best]!
    return { ...hits[i]!, rerank: { score: scores[best]!, formerRank: i + 1 } }
  })
}
