import { toServiceError } from '../errors.ts'
import type { Reranker } from '../reranker/reranker.ts'
import type { Metrics } from './metrics.ts'

/** The same reranker, counted and timed from outside. */
export function measuredReranker(reranker: Reranker, metrics: Metrics): Reranker {
  metrics.watchReranker(reranker)
  return {
    card: reranker.card,
    device: reranker.device,
    async score(query, texts, options = {}) {
      const started = performance.now()
      const { lane = 'interactive' } = options
      try {
        const result = await reranker.score(query, texts, options)
        metrics.observeRerank(lane, (performance.now() - started) / 1000, result)
        return result
      } catch (error) {
        metrics.countRerankFault(toServiceError(error).code)
        throw error
      }
    },
    stats: () => reranker.stats(),
    onDeath: (listener) => reranker.onDeath(listener),
    close: () => reranker.close(),
  }
}
