import type { SearchPath } from '../document-index.ts'
import type { Filter } from '../filter.ts'
import type { EmbeddedStoreLimits } from './limits.ts'

/** What the store and its worker say to each other. Metadata crosses as JSON text. */
export interface WorkerData {
  dataDir: string
  dimensions: number
  fingerprint: string
  limits: EmbeddedStoreLimits
}

export interface WireDocument {
  id: string
  text: string
  title: string | null
  metadata: string
}

export interface UpsertCall {
  documents: WireDocument[]
  /** [documents, dimensions], row-major. */
  vectors: Float32Array
}

export type RemoveCall = { ids: string[] } | { filter: Filter }

export interface SearchCall {
  /** [queries, dimensions], row-major, unit length. */
  vectors: Float32Array
  k: number
  filter?: Filter
  ef?: number
  exact?: boolean
  minScore?: number
  documents?: boolean
}

export interface FoundHit {
  id: string
  score: number
  document?: WireDocument
}

export interface SearchReply {
  hits: FoundHit[]
  path: SearchPath
}

export interface ScanCall {
  /** Goes on after this id; '' begins. */
  after: string
  limit: number
  filter?: Filter
}

export interface ScanReply {
  documents: WireDocument[]
  more: boolean
}

/** Sent as event `counts` before the answer to the write that changed them. */
export interface Counts {
  documents: number
  tombstones: number
}
