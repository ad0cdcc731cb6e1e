import { ServiceError } from '../../errors.ts'
import type { WorkerClient } from '../../worker/client.ts'
import type { CollectionSettings, SettingsChange } from '../collection-settings.ts'
import { cursorAfter, placeOfCursor } from '../cursor.ts'
import type { DocumentPart, IndexedDocument, Passage, Span } from '../document.ts'
import type {
  CallOptions,
  Capabilities,
  DocumentIndex,
  Excerpts,
  ExcerptWish,
  GetOptions,
  IndexStats,
  Probe,
  ScanOptions,
  ScanPage,
  ScoreKind,
  SearchOptions,
  SearchResult,
  UpsertOptions,
  UpsertResult,
} from '../document-index.ts'
import type { Filter } from '../filter.ts'
import type { Metadata } from '../json.ts'
import type { Facet, FacetOptions } from '../metadata/facets.ts'
import type { MetadataPatch, PatchResult } from '../metadata/merge-patch.ts'
import { unitVector } from '../unit-vector.ts'
import type { OperationLimiter } from './operation-limiter.ts'
import { packDocuments, packVectors } from './pack.ts'
import type { ForCollection, SearchCall, SearchReply, WireFields } from './wire.ts'
import type { IndexWorker } from './worker.ts'

interface OpenedCollection {
  collection: string
  dimensions: number
  settings: CollectionSettings
}

interface EngineHooks {
  onDeath(listener: (error: ServiceError) => void): void
  onClose(): void
}

/** One collection, as seen from the main thread; its engine runs in the worker. */
export class EmbeddedIndex implements DocumentIndex {
  readonly dimensions: number
  readonly capabilities: Capabilities = { vectors: true, lexical: true, approximate: true }
  readonly #client: WorkerClient<IndexWorker>
  readonly #collection: string
  readonly #limiter: OperationLimiter
  readonly #hooks: EngineHooks
  readonly #running = new Set<Promise<unknown>>()
  #settings: CollectionSettings
  #closing: Promise<void> | undefined

  /** Use `IndexEngine.open`. */
  constructor(
    client: WorkerClient<IndexWorker>,
    { collection, dimensions, settings }: OpenedCollection,
    limiter: OperationLimiter,
    hooks: EngineHooks,
  ) {
    this.#client = client
    this.#collection = collection
    this.dimensions = dimensions
    this.#settings = settings
    this.#limiter = limiter
    this.#hooks = hooks
  }

  get settings(): CollectionSettings {
    return this.#settings
  }

  async configure(change: SettingsChange): Promise<void> {
    const call = { change, collection: this.#collection }
    this.#settings = await this.#run('write', () => this.#client.call('configure', call))
  }

  upsert(
    documents: readonly IndexedDocument[],
    { signal, ...options }: UpsertOptions = {},
  ): Promise<UpsertResult> {
    return this.#run('write', async () => {
      const packed = await packDocuments(documents, this.dimensions)
      const call = { ...packed, ...options, collection: this.#collection }
      return this.#client.call('upsert', call, { signal, transfer: [call.vectors.buffer as ArrayBuffer] })
    })
  }

  async get(
    ids: readonly string[],
    { signal, ...options }: GetOptions = {},
  ): Promise<(DocumentPart | undefined)[]> {
    const call = { ids: [...ids], ...options, collection: this.#collection }
    const found = await this.#run('read', () => this.#client.call('get', call, { signal }))
    return found.map((document, i) => document && { id: ids[i]!, ...unpackFields(document) })
  }

  passages(ids: readonly string[], { signal }: CallOptions = {}): Promise<(Passage[] | undefined)[]> {
    const call = { ids: [...ids], collection: this.#collection }
    return this.#run('read', () => this.#client.call('passages', call, { signal }))
  }

  remove(
    target: { ids: readonly string[] } | { filter: Filter },
    { signal }: CallOptions = {},
  ): Promise<{ removed: number }> {
    const what = 'ids' in target ? { ids: [...target.ids] } : target
    const call = { ...what, collection: this.#collection }
    return this.#run('write', () => this.#client.call('remove', call, { signal }))
  }

  async patch(
    target: { ids: readonly string[] } | { filter: Filter },
    patch: MetadataPatch,
    { signal }: CallOptions = {},
  ): Promise<PatchResult> {
    const what = 'ids' in target ? { ids: [...target.ids] } : target
    const call = { target: what, patch, collection: this.#collection }
    const reply = await this.#run('write', () => this.#client.call('patch', call, { signal }))
    const { patched, metadata } = reply
    return { patched, ...(metadata !== undefined && { metadata: JSON.parse(metadata) as Metadata }) }
  }

  async search(
    probes: readonly Probe[],
    k: number,
    { signal, tuning, ...options }: SearchOptions = {},
  ): Promise<SearchResult[]> {
    return this.#run('read', async () => {
      const vectors = probes.flatMap((probe) => ('vector' in probe ? [this.#unit(probe.vector)] : []))
      const texts = probes.flatMap((probe) => ('terms' in probe ? [probe.terms] : []))
      const call = { ...options, k, collection: this.#collection }
      const [byVectors, byWords] = await Promise.all([
        vectors.length > 0 || texts.length === 0
          ? this.#searchVectors(vectors, { ...call, ...tuning }, signal)
          : [],
        texts.length > 0 ? this.#client.call('searchWords', { ...call, texts }, { signal }) : [],
      ])
      const cosines = byVectors.map((reply) => resultOf(reply, 'cosine'))
      const bm25s = byWords.map((reply) => resultOf(reply, 'bm25'))
      return probes.map((probe) => ('vector' in probe ? cosines : bm25s).shift()!)
    })
  }

  highlight(terms: string, texts: readonly string[], { signal }: CallOptions = {}): Promise<Span[][]> {
    const call = { terms, texts, collection: this.#collection }
    return this.#run('read', () => this.#client.call('highlight', call, { signal }))
  }

  excerpts(wishes: readonly ExcerptWish[], { signal }: CallOptions = {}): Promise<(Excerpts | undefined)[]> {
    return this.#run('read', async () => {
      const units = wishes.map(({ best, ...wish }) => ({
        ...wish,
        ...(best && { best: { ...best, vector: unitVector(best.vector, this.dimensions) } }),
      }))
      return this.#client.call('excerpts', { wishes: units, collection: this.#collection }, { signal })
    })
  }

  async scan({ cursor, signal, sort = [], ...options }: ScanOptions): Promise<ScanPage> {
    const { documents, next } = await this.#run('read', () => {
      const after = cursor === undefined ? undefined : placeOfCursor(cursor, sort)
      const call = { ...(after && { after }), ...options, sort, collection: this.#collection }
      return this.#client.call('scan', call, { signal })
    })
    const parts = documents.map(({ id, ...fields }) => ({ id, ...unpackFields(fields) }))
    return { documents: parts, nextCursor: next ? cursorAfter(next, sort) : null }
  }

  count({ signal, ...options }: CallOptions & { filter?: Filter } = {}): Promise<number> {
    const call = { ...options, collection: this.#collection }
    return this.#run('read', () => this.#client.call('count', call, { signal }))
  }

  facets(paths: readonly string[][], { signal, ...options }: CallOptions & FacetOptions): Promise<Facet[]> {
    const call = { ...options, paths: [...paths], collection: this.#collection }
    return this.#run('read', () => this.#client.call('facets', call, { signal }))
  }

  async stats(): Promise<IndexStats> {
    if (this.#closing) throw closed()
    const call = { collection: this.#collection }
    const { documents, passages, ...own } = await this.#client.call('counts', call)
    return { engine: 'embedded', documents, passages, waiting: this.#running.size, own }
  }

  onDeath(listener: (error: ServiceError) => void): void {
    this.#hooks.onDeath(listener)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running)
    this.#hooks.onClose()
    await this.#client.call('closeCollection', { collection: this.#collection }).catch((error) => {
      // A worker that has ended holds nothing open.
      if (!(error instanceof ServiceError) || error.code !== 'UNAVAILABLE') throw error
    })
  }

  #unit(vector: Float32Array): Float32Array {
    return unitVector(vector, this.dimensions)
  }

  #searchVectors(
    vectors: Float32Array[],
    call: Omit<ForCollection<SearchCall>, 'vectors'>,
    signal: AbortSignal | undefined,
  ): Promise<SearchReply[]> {
    const packed = packVectors(vectors)
    return this.#client.call('search', { ...call, vectors: packed }, { signal, transfer: [packed.buffer] })
  }

  async #run<T>(kind: 'read' | 'write', send: () => Promise<T>): Promise<T> {
    if (this.#closing) throw closed()
    // A call that is refused before it is sent rejects like any other.
    const running = this.#limiter.run(kind, async () => send())
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }
}

function closed(): ServiceError {
  return new ServiceError('UNAVAILABLE', 'The index is closed.')
}

function resultOf({ hits, path }: SearchReply, kind: ScoreKind): SearchResult {
  const unpacked = hits.map(({ document, ...hit }) => ({
    ...hit,
    kind,
    ...(document && { document: unpackFields(document) }),
  }))
  return { path, hits: unpacked }
}

function unpackFields({ metadata, ...fields }: WireFields): Omit<DocumentPart, 'id'> {
  return { ...fields, ...(metadata !== undefined && { metadata: JSON.parse(metadata) as Metadata }) }
}
