import { ServiceError } from '../errors.ts'

/** How a text is cut into words for lexical search. */
export type Analysis = (typeof ANALYSES)[number]
/**
 * - `english`: words, without case and accents, English endings taken off (Porter);
 * - `plain`: words, without case and accents;
 * - `trigram`: every three characters, for languages that do not put spaces between words.
 */
export const ANALYSES = ['english', 'plain', 'trigram'] as const

/** How documents are found: by their vectors, by their words, or by both. */
export type SearchMode = (typeof SEARCH_MODES)[number]
export const SEARCH_MODES = ['dense', 'lexical', 'hybrid'] as const

/** What a document is found by: one vector of all of it, or one for each of its passages. */
export type Chunking =
  | { kind: 'whole' }
  | {
      kind: 'passages'
      /** Most tokens of one passage, its title included; at most what the model reads of a text. */
      tokens: number
      /** Tokens that a passage repeats of the one before, in whole sentences. */
      overlap: number
      /** Whether the document's title stands before each passage when it is embedded. */
      title: boolean
    }

/** Most numbers of one vector. */
export const DIMENSIONS_MAX = 16_384

/** Least and most of what a collection may set for its graph. */
export const HNSW_BOUNDS = { m: [2, 100], efConstruction: [8, 4000], ef: [1, 10_000] } as const

/** What a collection is, beside its vector space. Kept with it. */
export interface CollectionSettings {
  chunking: Chunking
  /** While documents may still be cut as they were before the chunking changed. */
  earlierChunking?: Chunking | undefined
  analysis: Analysis
  /** Of a search that does not say its own. */
  mode: SearchMode
  /** Of its graph; what is absent is the service's. */
  hnsw: { m?: number; efConstruction?: number; ef?: number }
  /** Metadata fields, as filters write them, whose strings are dates. */
  dates: readonly string[]
}

/** What may change of a collection that has documents. */
export type SettingsChange = Partial<
  Pick<CollectionSettings, 'mode' | 'hnsw' | 'chunking' | 'earlierChunking'>
>

/** Of an index that refuses documents which were cut in another way than its collection now has. */
export function otherChunking(): ServiceError {
  return new ServiceError('CONFLICT', 'The chunking of the collection has changed meanwhile; try again.', {
    field: 'chunking',
  })
}

/** What a collection had before it could say, and has where it does not say. */
export const FIRST_SETTINGS: CollectionSettings = {
  chunking: { kind: 'whole' },
  analysis: 'english',
  mode: 'dense',
  hnsw: {},
  dates: [],
}

/** What a new collection is where nobody says otherwise: docs/hybrid.md has the figures. */
export const NEW_SETTINGS: CollectionSettings = { ...FIRST_SETTINGS, mode: 'hybrid' }
