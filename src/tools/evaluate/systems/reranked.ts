import { ToolError } from '../../../cli/tool-error.ts'

/** Hits of the hybrid list that the reranker reads of each query. */
export const RERANKED_HITS = 100

/**
 * Reranked hits, with scores that say their order and nothing else: those of the search do not.
 *
 * @param reason why hits kept their order, if they did
 * @throws ToolError INPUT_UNUSABLE then: figures of them would be figures of the search
 */
export function rerankedHits<H extends { id: string }>(hits: readonly H[], reason: string | undefined) {
  if (reason !== undefined) {
    const message = `The reranker was not heard (${reason}), so there is nothing to judge. Raise the service's RERANK_MS_MAX, or judge fewer queries at once.`
    throw new ToolError('INPUT_UNUSABLE', message)
  }
  return hits.map((hit, i) => ({ ...hit, score: -i }))
}
