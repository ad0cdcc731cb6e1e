import type { Encoder } from '../encoder/encoder.ts'
import type { VectorStore } from '../index/document-index.ts'

/** Bounds that belong to what a request means, whatever brought it here. */
export interface RetrievalLimits {
  textBytesMax: number
  metadataBytesMax: number
  /** Texts handed to the encoder at once by one bulk request. */
  ingestBatchDocuments: number
  ingestBatchBytes: number
  /** Requests with more texts than this take the bulk lane. */
  interactiveTextsMax: number
}

/** What every verb works on. */
export interface Retrieval {
  encoder: Encoder
  store: VectorStore
  limits: RetrievalLimits
}

/** Wall-clock milliseconds of each phase of one request. */
export interface Timings {
  tokenize: number
  queue: number
  inference: number
  search: number
  total: number
}
