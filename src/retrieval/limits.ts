import type { Limits, LimitTable } from '../limits.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** What one text or request may be, whatever brought it here. */
export const TEXT_LIMITS = {
  textBytesMax: {
    unit: 'bytes',
    fallback: MIB,
    min: KIB,
    max: 64 * MIB,
    doc: 'Longest single text, in UTF-8.',
  },
  queryBytesMax: {
    unit: 'bytes',
    fallback: 8 * KIB,
    min: 256,
    max: 64 * MIB,
    doc: 'Longest query of a search, in UTF-8.',
  },
  interactiveTextsMax: {
    unit: 'texts',
    fallback: 16,
    min: 1,
    max: 1024,
    doc: 'Embedding requests with more texts than this take the bulk lane.',
  },
} as const satisfies LimitTable

/** What one document may be, and how many are worked on together. */
export const INGEST_LIMITS = {
  metadataBytesMax: {
    unit: 'bytes',
    fallback: 64 * KIB,
    min: 2,
    max: 16 * MIB,
    doc: 'Largest metadata of one document, as JSON.',
  },
  ingestBatchDocuments: {
    unit: 'documents',
    fallback: 256,
    min: 1,
    max: 10_000,
    doc: 'Documents encoded together, and committed together in an NDJSON stream.',
  },
  ingestBatchBytes: {
    unit: 'bytes',
    fallback: 4 * MIB,
    min: KIB,
    max: 256 * MIB,
    doc: 'Bytes that close an NDJSON batch early.',
  },
} as const satisfies LimitTable

/** What one question about metadata may ask for. */
export const METADATA_QUERY_LIMITS = {
  facetsMax: {
    unit: 'fields',
    fallback: 16,
    min: 1,
    max: 256,
    doc: 'Most metadata fields of one request whose values are counted (`facets`).',
  },
  facetValuesMax: {
    unit: 'values',
    fallback: 1000,
    min: 1,
    max: 100_000,
    doc: 'Most values of each such field in the answer (`facet_values`).',
  },
  sortFieldsMax: {
    unit: 'fields',
    fallback: 4,
    min: 1,
    max: 16,
    doc: 'Most metadata fields that one list is sorted by.',
  },
} as const satisfies LimitTable

export type MetadataQueryLimits = Limits<typeof METADATA_QUERY_LIMITS>

/** How far a search looks. */
export const SEARCH_LIMITS = {
  hybridCandidates: {
    unit: 'documents',
    fallback: 100,
    min: 10,
    max: 10_000,
    doc: 'Documents that each leg of a hybrid search brings, or a few more than k where that is larger.',
  },
} as const satisfies LimitTable

export type RetrievalLimits = Limits<typeof TEXT_LIMITS> &
  Limits<typeof INGEST_LIMITS> &
  Limits<typeof SEARCH_LIMITS>
