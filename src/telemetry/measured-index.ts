import { toServiceError } from '../errors.ts'
import type { VectorStore } from '../index/document-index.ts'
import type { Metrics } from './metrics.ts'

/** The same store, counted and timed from outside. */
export function measuredStore(store: VectorStore, metrics: Metrics): VectorStore {
  metrics.watchStore(store)
  async function measure<T>(operation: string, run: () => Promise<T>): Promise<T> {
    const started = performance.now()
    try {
      const result = await run()
      metrics.observeStore(operation, (performance.now() - started) / 1000)
      return result
    } catch (error) {
      metrics.countStoreFault(toServiceError(error).code)
      throw error
    }
  }
  return {
    dimensions: store.dimensions,
    upsert: (documents) => measure('upsert', () => store.upsert(documents)),
    get: (ids) => measure('get', () => store.get(ids)),
    vectors: (ids) => measure('vectors', () => store.vectors(ids)),
    remove: (target) => measure('remove', () => store.remove(target)),
    search: async (vectors, k, options) => {
      const results = await measure('search', () => store.search(vectors, k, options))
      for (const { path } of results) metrics.countSearch(path)
      return results
    },
    scan: (options) => measure('scan', () => store.scan(options)),
    count: (filter) => measure('count', () => store.count(filter)),
    stats: () => store.stats(),
    snapshot: () => measure('snapshot', () => store.snapshot()),
    close: () => store.close(),
  }
}
