import type { Encoder } from '../encoder/encoder.ts'
import type { DocumentIndex } from '../index/document-index.ts'
import type { RetrievalLimits } from './limits.ts'

/** What every verb works on: one collection, and the encoder that all collections share. */
export interface Retrieval {
  encoder: Encoder
  index: DocumentIndex
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
