import { toServiceError } from '../errors.ts'
import type { DocumentIndex } from '../index/document-index.ts'
import type { Metrics } from './metrics.ts'

/** The same index, counted and timed from outside under its collection's name. */
export function measuredIndex(index: DocumentIndex, name: string, metrics: Metrics): DocumentIndex {
  const unwatch = metrics.watchIndex(name, index)
  const collection = metrics.collectionLabel(name)
  async function measure<T>(operation: string, run: () => Promise<T>): Promise<T> {
    const started = performance.now()
    try {
      const result = await run()
      metrics.observeIndex({ collection, operation }, (performance.now() - started) / 1000)
      return result
    } catch (error) {
      metrics.countIndexFault({ collection, code: toServiceError(error).code })
      throw error
    }
  }
  return {
    dimensions: index.dimensions,
    capabilities: index.capabilities,
    get settings() {
      return index.settings
    },
    configure: (change) => measure('configure', () => index.configure(change)),
    upsert: (documents, options) => measure('upsert', () => index.upsert(documents, options)),
    get: (ids, options) => measure('get', () => index.get(ids, options)),
    passages: (ids, options) => measure('passages', () => index.passages(ids, options)),
    excerpts: (wishes, options) => measure('excerpts', () => index.excerpts(wishes, options)),
    remove: (target, options) => measure('remove', () => index.remove(target, options)),
    patch: (target, patch, options) => measure('patch', () => index.patch(target, patch, options)),
    search: async (probes, k, options) => {
      const results = await measure('search', () => index.search(probes, k, options))
      for (const [i, { path }] of results.entries()) {
        const leg = 'terms' in probes[i]! ? 'lexical' : 'dense'
        metrics.countProbe({ collection, leg, path })
      }
      return results
    },
    highlight: (terms, texts, options) => measure('highlight', () => index.highlight(terms, texts, options)),
    scan: (options) => measure('scan', () => index.scan(options)),
    count: (options) => measure('count', () => index.count(options)),
    facets: (paths, options) => measure('facets', () => index.facets(paths, options)),
    stats: () => index.stats(),
    onDeath: (listener) => index.onDeath(listener),
    close: () => {
      unwatch()
      return index.close()
    },
  }
}
