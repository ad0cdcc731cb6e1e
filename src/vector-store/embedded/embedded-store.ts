import { ServiceError } from '../../errors.ts'
import type { VectorStore } from '../vector-store.ts'
import type { EmbeddedStoreLimits, StoreNotice } from './options.ts'

export interface EmbeddedStoreOptions extends Partial<EmbeddedStoreLimits> {
  /** Folder of the store's files; made if missing. One process at a time. */
  dataDir: string
  dimensions: number
  /** Identity of the model whose vectors are stored (invariant 5). */
  fingerprint: string
  onNotice?: (notice: StoreNotice) => void
}

export interface EmbeddedStore extends VectorStore {
  /** Called once if the store's thread ends without `close`; every call fails with UNAVAILABLE from then on. */
  onDeath(listener: (error: ServiceError) => void): void
}

/**
 * Opens, or creates, the store in `dataDir`: SQLite holds documents and vectors, HNSW the graph, both in one worker.
 *
 * @throws ServiceError STORE_UNUSABLE when the files are damaged, in use by another process, or belong to another
 *   model, dimension or format
 */
export async function openEmbeddedStore(_options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  throw new ServiceError('INTERNAL', 'the embedded store is not built yet')
}
