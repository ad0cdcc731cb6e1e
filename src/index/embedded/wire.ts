import type { Chunking, CollectionSettings, SettingsChange } from '../collection-settings.ts'
import type { DocumentField, Span } from '../document.ts'
import type { ExcerptWish, Tuning } from '../document-index.ts'
import type { Filter } from '../filter.ts'
import type { CollectionIdentity } from '../index-engine.ts'
import type { MetadataPatch } from '../metadata/merge-patch.ts'
import type { Place, SortKey } from '../metadata/sort.ts'
import type { IndexLimits } from './limits.ts'

/** What the engine and its worker say to each other. Metadata crosses as JSON text. */
export interface WorkerData {
  dataDir: string
  limits: IndexLimits
}

/** Every call but the first names the collection it is for. */
export type ForCollection<Call> = Call & { collection: string }

export type OpenCall = ForCollection<{
  identity: CollectionIdentity
  /** Of a collection that is created. */
  settings: CollectionSettings
}>

export type ConfigureCall = ForCollection<{ change: SettingsChange }>

export interface Trouble {
  collection: string
  /** Why it takes no writes; undefined: it does again. */
  problem: string | undefined
}

export interface WireDocument {
  id: string
  text: string
  title: string | null
  metadata: string
}

/** A document to store, with where its passages stand in the text. */
export interface WireUpsert extends WireDocument {
  spans: Span[]
}

export interface UpsertCall {
  documents: WireUpsert[]
  /** [passages of all documents, dimensions], row-major, unit length. */
  vectors: Float32Array
  chunking?: Chunking
  unlessChanged?: boolean
}

export interface IdsCall {
  ids: string[]
}

export interface GetCall extends IdsCall {
  fields?: readonly DocumentField[]
}

export type RemoveCall = IdsCall | { filter: Filter }

export interface PatchCall {
  target: RemoveCall
  patch: MetadataPatch
}

export interface PatchReply {
  patched: number
  /** JSON. */
  metadata?: string
}

export interface SearchCall extends Tuning {
  /** [probes, dimensions], row-major, unit length. */
  vectors: Float32Array
  k: number
  filter?: Filter
  floor?: number
  fields?: readonly DocumentField[]
}

export interface WordSearchCall {
  texts: string[]
  k: number
  filter?: Filter
  floor?: number
  fields?: readonly DocumentField[]
}

export interface HighlightCall {
  terms: string
  texts: readonly string[]
}

/** Those fields of a document that were asked for. */
export type WireFields = Partial<Pick<WireDocument, DocumentField>>

export interface FoundHit {
  id: string
  score: number
  passage: { ordinal: number } & Span
  document?: WireFields
}

export interface ExcerptsCall {
  wishes: ExcerptWish[]
}

export interface SearchReply {
  hits: FoundHit[]
  /** `pruned`: frequent words were left out. */
  path: 'hnsw' | 'exact' | 'pruned'
}

export interface ScanCall {
  /** Goes on after this place. */
  after?: Place
  limit: number
  filter?: Filter
  sort: readonly SortKey[]
  fields?: readonly DocumentField[]
}

export interface CountCall {
  filter?: Filter
}

export interface FacetsCall {
  paths: string[][]
  limit: number
  filter?: Filter
}

export interface ScanReply {
  documents: (WireFields & { id: string })[]
  /** Place of the last of them, where more follow. */
  next?: Place
}

export interface Counts {
  documents: number
  passages: number
  /** Deleted or replaced vectors still in the graph. */
  tombstones: number
  /** Stored, but damaged: not among `documents`. */
  damagedDocuments: number
  /** Acknowledged, and not in the database. */
  missingCommits: number
  /** 1 while pages or indexes of the database are known to be damaged. */
  fileDamaged: 0 | 1
  /** Checks of everything stored that were finished since the start. */
  scrubs: number
}
