import { ServiceError } from '../../errors.ts'
import { WorkerClient } from '../../worker/client.ts'
import { spawnWorker } from '../../worker/spawn.ts'
import { cursorAfter, idOfCursor } from '../cursor.ts'
import type {
  Document,
  Hit,
  ScanPage,
  SearchOptions,
  SearchResult,
  StoreStats,
  UpsertResult,
  VectorDocument,
  VectorStore,
} from '../document-index.ts'
import type { Filter } from '../filter.ts'
import { checkCount, checkSearch, STORE_LIMITS, unitVector } from '../input.ts'
import type { Metadata } from '../json.ts'
import { checkLimits, EMBEDDED_STORE_DEFAULTS, type EmbeddedStoreLimits, type StoreNotice } from './limits.ts'
import { WaitingRoom } from './operation-limiter.ts'
import { packDocuments, packVectors } from './pack.ts'
import type { Counts, WireDocument, WorkerData } from './wire.ts'
import type { IndexEngine } from './worker.ts'

const DIMENSIONS_MAX = 16_384

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
 * @throws ServiceError INVALID_CONFIG for a limit out of its range; STORE_UNUSABLE when the files are damaged, in use by another process, or belong to another
 *   model, dimension or format
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const { dataDir, dimensions, fingerprint, onNotice, ...given } = options
  const limits = { ...EMBEDDED_STORE_DEFAULTS, ...given }
  checkLimits(limits)
  checkCount(dimensions, 'dimensions', DIMENSIONS_MAX)
  const data: WorkerData = { dataDir, dimensions, fingerprint, limits }
  const worker = spawnWorker(new URL('./worker.ts', import.meta.url), data, import.meta.url)
  const client = new WorkerClient<IndexEngine>(worker, 'The vector store')
  if (onNotice) client.on('notice', onNotice)
  try {
    return new EmbeddedStoreClient(client, data, await client.ready())
  } catch (error) {
    await worker.terminate()
    throw error
  }
}

class EmbeddedStoreClient implements EmbeddedStore {
  readonly dimensions: number
  readonly #client: WorkerClient<IndexEngine>
  readonly #limits: EmbeddedStoreLimits
  readonly #room: WaitingRoom
  #counts: Counts
  #closing: Promise<void> | undefined

  constructor(client: WorkerClient<IndexEngine>, { dimensions, limits }: WorkerData, counts: Counts) {
    this.dimensions = dimensions
    this.#client = client
    this.#limits = limits
    this.#counts = counts
    this.#room = new WaitingRoom(limits)
    client.on('counts', (latest) => {
      this.#counts = latest
    })
  }

  onDeath(listener: (error: ServiceError) => void): void {
    this.#client.onDeath(listener)
  }

  async upsert(documents: readonly VectorDocument[]): Promise<UpsertResult> {
    const max = this.#limits.upsertDocumentsMax
    if (documents.length > max) {
      throw new ServiceError('TOO_LARGE', `one upsert takes ${max} documents; send them in several.`, {
        limit: max,
      })
    }
    return this.#run('write', () => {
      const { argument, transfer } = packDocuments(documents, this.dimensions)
      return this.#client.call('upsert', argument, { transfer })
    })
  }

  async get(ids: readonly string[]): Promise<(Document | undefined)[]> {
    const found = await this.#run('read', () => this.#client.call('get', [...ids]))
    return found.map((document) => document && unpack(document))
  }

  async vectors(ids: readonly string[]): Promise<(Float32Array | undefined)[]> {
    return this.#run('read', () => this.#client.call('vectors', [...ids]))
  }

  async remove(target: { ids: readonly string[] } | { filter: Filter }): Promise<{ removed: number }> {
    const call = 'ids' in target ? { ids: [...target.ids] } : target
    return this.#run('write', () => this.#client.call('remove', call))
  }

  async search(
    vectors: readonly Float32Array[],
    k: number,
    options: SearchOptions = {},
  ): Promise<SearchResult[]> {
    const replies = await this.#run('read', () => {
      checkSearch(k, options)
      const packed = packVectors(vectors.map((vector) => unitVector(vector, this.dimensions)))
      const transfer = [packed.buffer as ArrayBuffer]
      return this.#client.call('search', { ...options, vectors: packed, k }, { transfer })
    })
    return replies.map(({ hits, path }) => ({
      path,
      hits: hits.map(({ id, score, document }): Hit => {
        return document ? { id, score, document: unpack(document) } : { id, score }
      }),
    }))
  }

  async scan(options: { cursor?: string; limit: number; filter?: Filter }): Promise<ScanPage> {
    const { limit, filter } = options
    const { documents, more } = await this.#run('read', () => {
      checkCount(limit, 'limit', STORE_LIMITS.pageMax)
      const after = options.cursor === undefined ? '' : idOfCursor(options.cursor)
      return this.#client.call('scan', { after, limit, ...(filter && { filter }) })
    })
    const last = documents.at(-1)
    return { documents: documents.map(unpack), nextCursor: more && last ? cursorAfter(last.id) : null }
  }

  async count(filter?: Filter): Promise<number> {
    return this.#run('read', () => this.#client.call('count', filter))
  }

  stats(): StoreStats {
    return { engine: 'embedded', ...this.#counts, waiting: this.#room.waiting }
  }

  async snapshot(): Promise<void> {
    await this.#run('write', () => this.#client.call('snapshot', undefined))
  }

  close(): Promise<void> {
    this.#closing ??= this.#room.empty().then(() => this.#client.close())
    return this.#closing
  }

  async #run<T>(kind: 'read' | 'write', send: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new ServiceError('UNAVAILABLE', 'The vector store is closed.')
    return this.#room.run(kind, send)
  }
}

function unpack({ id, text, title, metadata }: WireDocument): Document {
  return { id, text, title, metadata: JSON.parse(metadata) as Metadata }
}
