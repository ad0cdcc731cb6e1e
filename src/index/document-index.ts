import type { ServiceError } from '../errors.ts'
import type { Chunking, CollectionSettings, SettingsChange } from './collection-settings.ts'
import type { Document, DocumentField, DocumentPart, IndexedDocument, Passage, Span } from './document.ts'
import type { Filter } from './filter.ts'
import type { Facet, FacetOptions } from './metadata/facets.ts'
import type { MetadataPatch, PatchResult } from './metadata/merge-patch.ts'
import type { SortKey } from './metadata/sort.ts'

export interface CallOptions {
  /** When it fires, work that has not been committed stops, and the call rejects with ABORTED. */
  signal?: AbortSignal | undefined
}

export interface GetOptions extends CallOptions {
  /** What to read of the documents beside their ids. Default: all. */
  fields?: readonly DocumentField[]
}

export interface UpsertOptions extends CallOptions {
  /** How the documents were cut: they are refused where the collection has another chunking by now. */
  chunking?: Chunking
  /** Stores only documents of which title, text and metadata are what is stored already: what is new is how they are found. */
  unlessChanged?: boolean
}

export interface UpsertResult {
  created: number
  updated: number
  /** With `unlessChanged`: ids of those that were not stored, because they are gone or another version of them is stored. */
  changed?: string[]
}

/** What to look for: a vector of any length above zero, or the words of a text where `capabilities.lexical`. */
export type Probe = { vector: Float32Array } | { terms: string }

/** Wishes about the way to the answer. An engine may ignore any of them; the answer is right all the same. */
export interface Tuning {
  /** Candidates kept while an approximate structure is walked, at least k. More: slower, better recall. */
  ef?: number
  /** Score every matching passage. */
  exact?: boolean
}

export interface SearchOptions extends CallOptions {
  filter?: Filter
  /** Only hits with a score of at least this come back (so fewer than k may). */
  floor?: number
  tuning?: Tuning
  /** What to read of the hits' documents. Default: all. */
  fields?: readonly DocumentField[]
}

/** What a score means. `cosine`: similarity in [-1, 1]. `bm25`: above 0, comparable within one answer only. */
export type ScoreKind = 'cosine' | 'bm25'

/** A document, by its best passage. */
export interface Hit {
  id: string
  /** Larger is better; ties are ordered by id. */
  score: number
  kind: ScoreKind
  /** Which passage of the document scored so, counted from 0, and where it stands in the text. */
  passage: { ordinal: number } & Span
  /** The fields that were asked for; absent where none was. */
  document?: Partial<Pick<Document, DocumentField>>
}

export interface SearchResult {
  hits: Hit[]
  /** How the answer was found, in the engine's own word: `exact` when every match was scored. */
  path: string
}

/** Which passages of a document are wanted as texts: one, and the best ones for a vector. */
export interface ExcerptWish {
  id: string
  ordinal: number
  /** At most `count`, best first; of equal ones the first of the text. */
  best?: { vector: Float32Array; count: number }
}

/** A passage as text, and where it stands. */
export interface Excerpt extends Span {
  ordinal: number
  text: string
  /** Where it stands in code points. */
  codePoints: Span
  /** Cosine similarity to the vector of the wish. */
  score?: number
}

export interface Excerpts {
  /** Absent where the document has fewer passages by now. */
  passage?: Excerpt
  /** Where the wish says `best`. */
  best?: Excerpt[]
}

export interface ScanOptions extends CallOptions {
  /** `nextCursor` of the page before. */
  cursor?: string
  limit: number
  filter?: Filter
  /** Fields to sort by, equal documents by id. Default: by id alone. A cursor goes on with the sort it comes from. */
  sort?: readonly SortKey[]
  /** What to read of the documents beside their ids. Default: all. */
  fields?: readonly DocumentField[]
}

export interface ScanPage {
  documents: DocumentPart[]
  /** Opaque; null after the last page. */
  nextCursor: string | null
}

export interface Capabilities {
  /** Takes `{vector}` probes. */
  vectors: boolean
  /** Takes `{terms}` probes. */
  lexical: boolean
  /** May miss a nearest neighbour unless `tuning.exact`. */
  approximate: boolean
}

export interface IndexStats {
  engine: string
  documents: number
  passages: number
  /** Calls not answered yet. */
  waiting: number
  /** Figures of the engine's own, such as `tombstones`. */
  own: Record<string, number>
}

/**
 * One collection: documents, their metadata and their passages' vectors in one place, because a filter and a vector
 * must meet in one place. All methods are batches and safe to call at once; writes and reads happen in the order of
 * calls that have resolved (read your writes). Every implementation passes test/contract/document-index/.
 *
 * @throws ServiceError from every method: OVERLOADED (too many operations waiting), ABORTED (the signal), UNAVAILABLE
 *   (closed, or its engine has ended), STORE_UNUSABLE (disk full or damaged)
 */
export interface DocumentIndex {
  readonly dimensions: number
  readonly capabilities: Capabilities
  readonly settings: CollectionSettings
  /**
   * Changes settings for good; durable when it resolves, and in force for every call from then on.
   * @throws ServiceError STORE_UNUSABLE
   */
  configure(change: SettingsChange): Promise<void>
  /**
   * Replaces whole documents by id. Resolves when they are durable and searchable. The last of equal ids wins.
   * @throws ServiceError INVALID_INPUT (a vector of other dimensions, not finite, or zero), TOO_LARGE (too many at once),
   *   CONFLICT (`chunking`; nothing is stored)
   */
  upsert(documents: readonly IndexedDocument[], options?: UpsertOptions): Promise<UpsertResult>
  /**
   * Index i for id i; undefined where there is no such document.
   * @throws ServiceError DOCUMENT_DAMAGED where one of them is damaged; searches and scans leave it out. TOO_LARGE
   *   (more text than an answer may hold, and not of one document alone)
   */
  get(ids: readonly string[], options?: GetOptions): Promise<(DocumentPart | undefined)[]>
  /**
   * What documents are found by, for searches like a document; undefined where there is no such document.
   * @throws ServiceError DOCUMENT_DAMAGED
   */
  passages(ids: readonly string[], options?: CallOptions): Promise<(Passage[] | undefined)[]>
  /** How many documents were there and are gone. */
  remove(
    target: { ids: readonly string[] } | { filter: Filter },
    options?: CallOptions,
  ): Promise<{ removed: number }>
  /**
   * Merges a patch into the metadata of documents: all of them or, where it fails, none. Reading, merging and storing are
   * one step, so that patches at the same time do not undo each other. Resolves when it is durable and filters know it.
   * @throws ServiceError NOT_FOUND (an id without a document; `ids` names some), DOCUMENT_DAMAGED (an id's document),
   *   TOO_LARGE (what the metadata of a document would become)
   */
  patch(
    target: { ids: readonly string[] } | { filter: Filter },
    patch: MetadataPatch,
    options?: CallOptions,
  ): Promise<PatchResult>
  /**
   * The k best documents for each probe: k of them whenever k live, matching documents reach the floor.
   * @throws ServiceError INVALID_INPUT (a vector of other dimensions, not finite, or zero; a kind of probe that
   *   `capabilities` rules out), TOO_LARGE (more text than an answer may hold)
   */
  search(probes: readonly Probe[], k: number, options?: SearchOptions): Promise<SearchResult[]>
  /**
   * Where the words of a query stand in texts, in whatever form this collection's analysis takes for the same word: list i
   * for text i, in order and without overlaps, in UTF-16 code units.
   * @throws ServiceError INVALID_INPUT unless `capabilities.lexical`
   */
  highlight(terms: string, texts: readonly string[], options?: CallOptions): Promise<Span[][]>
  /**
   * Index i for wish i: passages as texts; undefined where the document is gone or damaged.
   * @throws ServiceError INVALID_INPUT (a vector of other dimensions, not finite, or zero), TOO_LARGE (more text than an
   *   answer may hold)
   */
  excerpts(wishes: readonly ExcerptWish[], options?: CallOptions): Promise<(Excerpts | undefined)[]>
  /** Documents in id order (by code point) or sorted, `limit` a page, or fewer where they are large. @throws ServiceError INVALID_INPUT for a foreign cursor */
  scan(options: ScanOptions): Promise<ScanPage>
  /** How many documents match; all of them without a filter. */
  count(options?: CallOptions & { filter?: Filter }): Promise<number>
  /**
   * Facet i for metadata field i, each a path as in filters. While documents are written, a count may miss some of those
   * that are replaced meanwhile.
   */
  facets(paths: readonly string[][], options: CallOptions & FacetOptions): Promise<Facet[]>
  stats(): Promise<IndexStats>
  /** Calls `listener` once if the index ends without `close`; every call is UNAVAILABLE from then on. */
  onDeath(listener: (error: ServiceError) => void): void
  /** Answers what is under way, then lets go of files and threads. Idempotent. */
  close(): Promise<void>
}
