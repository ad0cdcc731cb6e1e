import type { Encoder } from '../encoder/encoder.ts'
import type { DocumentIndex } from '../index/document-index.ts'
import type { Reranker } from '../reranker/reranker.ts'
import type { RetrievalLimits } from './limits.ts'

/** What every verb works on: one collection, and the encoder that all collections share. */
export interface Retrieval {
  encoder: Encoder
  index: DocumentIndex
  /** Puts first hits in a better order; absent where the service runs without one. */
  reranker?: Reranker | undefined
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
