import type { Filter } from './filter.ts'
import type { Metadata } from './json.ts'

/** What a user gave us and gets back. */
export interface Document {
  id: string
  text: string
  title: string | null
  metadata: Metadata
}

export interface VectorDocument extends Document {
  /** Unit length, `dimensions` numbers. */
  vector: Float32Array
}

export interface UpsertResult {
  created: number
  updated: number
}

export interface SearchOptions {
  filter?: Filter
  /** Breadth of the graph walk, >= k is used when smaller. Larger: slower, better recall. */
  ef?: number
  /** Score every matching document instead of walking the graph. */
  exact?: boolean
  /** Only hits with a score of at least this come back (so fewer than k may). */
  minScore?: number
  /** Read text, title and metadata of the hits too. Default true. */
  documents?: boolean
}

export interface Hit {
  id: string
  /** Cosine similarity in [-1, 1], larger is better. Ties are ordered by id. */
  score: number
  /** Absent with `documents: false`. */
  document?: Document
}

/** Which way the answer was found. */
export type SearchPath = 'hnsw' | 'exact'

export interface SearchResult {
  hits: Hit[]
  path: SearchPath
}

export interface ScanPage {
  documents: Document[]
  /** Opaque; null after the last page. */
  nextCursor: string | null
}

export interface StoreStats {
  engine: string
  documents: number
  /** Deleted or replaced vectors still in the graph. */
  tombstones: number
  /** Operations waiting for the store. */
  waiting: number
}

/**
 * Documents, their metadata and their vectors in one place, because a filter and a vector must meet in one place.
 * All methods are batches and safe to call at once; writes and reads of one store happen in the order of calls
 * that have resolved (read your writes). Every implementation passes test/contract/vector-store.ts.
 *
 * @throws ServiceError from every method: INVALID_INPUT (wrong dimensions, NaN, k < 1, ...), TOO_LARGE (too many
 *   documents in one upsert, too much metadata), OVERLOADED (too many operations waiting), UNAVAILABLE (closed), STORE_UNUSABLE (disk full or damaged)
 */
export interface VectorStore {
  readonly dimensions: number
  /** Replaces whole documents by id. Resolves when they are durable and searchable. The last of equal ids wins. */
  upsert(documents: readonly VectorDocument[]): Promise<UpsertResult>
  /** Index i for id i; undefined where there is no such document. */
  get(ids: readonly string[]): Promise<(Document | undefined)[]>
  /** Vectors of documents, for `like: id` searches; undefined where there is no such document. */
  vectors(ids: readonly string[]): Promise<(Float32Array | undefined)[]>
  /** Ids of the documents that were there and are gone, or the number of matches of a filter. */
  remove(target: { ids: readonly string[] } | { filter: Filter }): Promise<{ removed: number }>
  /** k nearest for each vector: k hits whenever k live matching documents reach `minScore`. */
  search(vectors: readonly Float32Array[], k: number, options?: SearchOptions): Promise<SearchResult[]>
  /** Documents in id order, `limit` a page. */
  scan(options: { cursor?: string; limit: number; filter?: Filter }): Promise<ScanPage>
  count(filter?: Filter): Promise<number>
  stats(): StoreStats
  /** Writes derived data (the graph) out so that the next start is quick. Durability never depends on it. */
  snapshot(): Promise<void>
  /** Snapshot, then release files and threads. Idempotent. */
  close(): Promise<void>
}
