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
  ingestBatchPassages: {
    unit: 'passages',
    fallback: 2048,
    min: 1,
    max: 1_000_000,
    doc: 'Passages that close an NDJSON batch early: their vectors are in memory until the batch is stored.',
  },
  passagesPerDocumentMax: {
    unit: 'passages',
    fallback: 4096,
    min: 1,
    max: 1_000_000,
    doc: 'Most passages of one document; a longer one gets 413, or is reported and skipped in an NDJSON stream.',
  },
  passagesPerRequestMax: {
    unit: 'passages',
    fallback: 16_384,
    min: 1,
    max: 10_000_000,
    doc: 'Most passages of one JSON request; more get 413. Their vectors are in memory until all are stored.',
  },
} as const satisfies LimitTable

/** What one question may ask for beside its k results. */
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
  likesMax: {
    unit: 'documents',
    fallback: 64,
    min: 1,
    max: 1000,
    doc: 'Most documents that one search is to be `like`, and as many that it is to be `unlike`.',
  },
  offsetMax: {
    unit: 'results',
    fallback: 10_000,
    min: 0,
    max: 10_000,
    doc: 'Largest `offset` of a search.',
  },
  groupsMax: {
    unit: 'groups',
    fallback: 100,
    min: 1,
    max: 1000,
    doc: 'Most groups of a search with `group_by`, those before `offset` included.',
  },
  groupSizeMax: {
    unit: 'results',
    fallback: 10,
    min: 1,
    max: 100,
    doc: 'Most results of one group (`group_size`).',
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

/** What reranking may take. */
export const RERANK_LIMITS = {
  rerankDocumentsMax: {
    unit: 'documents',
    fallback: 1000,
    min: 1,
    max: 10_000,
    doc: 'Most documents, or ids, of one reranking request.',
  },
  rerankTopN: {
    unit: 'hits',
    fallback: 50,
    min: 1,
    max: 10_000,
    doc: 'First hits of each query that a search reranks where it does not say how many (`rerank.top_n`), at most RERANK_TOP_N_MAX.',
  },
  rerankTopNMax: {
    unit: 'hits',
    fallback: 200,
    min: 1,
    max: 10_000,
    doc: 'Most hits of each query that a search reranks. Reranking requests with more documents than this take the bulk lane.',
  },
  rerankMsMax: {
    unit: 'ms',
    fallback: 5000,
    min: 1,
    max: 3_600_000,
    doc: 'Longest that a search waits for the reranker; then its hits come in the order they had, and the answer says so. A tenth of REQUEST_TIMEOUT_MS is kept for the answer in any case.',
  },
} as const satisfies LimitTable

export type RerankLimits = Limits<typeof RERANK_LIMITS>

export type RetrievalLimits = Limits<typeof TEXT_LIMITS> &
  Limits<typeof INGEST_LIMITS> &
  Limits<typeof SEARCH_LIMITS> &
  RerankLimits
