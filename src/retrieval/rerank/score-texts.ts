import type { Lane, Reranker } from '../../reranker/reranker.ts'
import { flaggedIndexes, slowest, tokensOf } from '../embed.ts'
import { encodeInWindows } from '../encode-bulk.ts'
import type { Timings } from '../retrieval.ts'

/** Texts of one call: a few batches, so that a long list leaves room in the queue for others. */
const CALL_TEXTS = 64

/** No text has tokens as long as this on average: what lies behind so many is never read, and need not be sent. */
const CHARS_PER_TOKEN_MAX = 32

export interface ScoreOptions {
  lane: Lane
  signal: AbortSignal
}

export interface Scored {
  /** The logit of each text, in order. */
  scores: number[]
  /** Of all rows: the query and the template count with each text. */
  tokens: number
  /** Indexes of the texts that were cut. */
  truncated: number[]
  queryTruncated: boolean
  timings: Omit<Timings, 'search' | 'total'>
}

/**
 * Scores any number of texts for one query, some at a time.
 * @throws ServiceError what the reranker throws
 */
export async function scoreTexts(
  reranker: Reranker,
  query: string,
  texts: readonly string[],
  { lane, signal }: ScoreOptions,
): Promise<Scored> {
  const charsMax = reranker.card.maxTokens * CHARS_PER_TOKEN_MAX
  const cut = texts.map((text) => text.slice(0, charsMax))
  const nameOf = (index: number) => `documents[${index}]`
  const parts = await encodeInWindows(cut, CALL_TEXTS, signal, nameOf, (window, { signal }) =>
    reranker.score(query, window, { lane, ...(signal && { signal }) }),
  )
  return {
    scores: parts.flatMap(({ scores }) => [...scores]),
    tokens: tokensOf(parts),
    truncated: parts.flatMap(({ truncated }, part) => flaggedIndexes(truncated, part * CALL_TEXTS)),
    queryTruncated: parts.some(({ queryTruncated }) => queryTruncated),
    timings: slowest(parts),
  }
}

/** Indexes of scores, best first; equal ones in their order. */
export function bestFirst(scores: readonly number[]): number[] {
  return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b)
}
