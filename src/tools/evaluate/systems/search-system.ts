import type { SearchMode } from '../../../index/collection-settings.ts'
import type { ScoredDocument } from '../figures/retrieval-metrics.ts'
import type { BeirDocument } from '../judged-set/beir-set.ts'

export interface ModelFacts {
  id: string
  precision: string
  fingerprint: string
}

/** What a report says about that which was judged. */
export interface SystemFacts {
  model: ModelFacts
  /** Where there is one. */
  reranker?: ModelFacts
  device: string
  /** The service's address, or `embedded`. */
  at: string
}

export interface IngestFigures {
  /** Stored, equal ids counted once. */
  documents: number
  /** Cut to the model's limit. */
  truncated: number
  /** Documents that the system did not take, and why the first was not. */
  refused: number
  firstRefusal: string | null
}

export interface SystemSearch {
  k: number
  /** Breadth of the graph walk; the system's own where absent. */
  ef?: number
  exact?: boolean
  /** Default dense, whatever the system's own is. */
  mode?: SearchMode
  /** Whether the first RERANKED_HITS hits are reranked. */
  rerank?: boolean
  signal: AbortSignal
}

export interface SystemAnswer {
  /** One a query, in order. */
  batches: { hits: ScoredDocument[]; path: string }[]
  /** Milliseconds: making the vectors (waiting included), finding the neighbours, the whole call. */
  timings: { embed: number; search: number; request: number }
}

/** That which is judged: documents go in, rankings come out. */
export interface SearchSystem {
  readonly facts: SystemFacts
  /** Most queries of one call. */
  readonly queriesMax: number
  /**
   * Stores documents; memory does not grow with them.
   * @param onStored how many documents have been dealt with so far
   * @throws ToolError, ServiceError
   */
  ingest(
    documents: AsyncIterable<BeirDocument>,
    options: { signal: AbortSignal; onStored: (done: number) => void },
  ): Promise<IngestFigures>
  /** @throws ToolError, ServiceError */
  search(texts: readonly string[], options: SystemSearch): Promise<SystemAnswer>
  /** Both embeddings of each text, unit length, over-long texts cut. @throws ToolError, ServiceError */
  embedBoth(
    texts: readonly string[],
    signal: AbortSignal,
  ): Promise<{ ebar: Float32Array[]; ebae: Float32Array[] }>
}
