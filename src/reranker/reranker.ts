import type { ServiceError } from '../errors.ts'
import type { Device } from '../inference/device.ts'
import type { Lane } from '../inference/lane.ts'
import type { QueueStats } from '../inference/queue-account.ts'

/**
 * Reads a query and a text together and says how well the text answers the query: a cross-encoder. Slower than
 * comparing vectors, as nothing can be computed beforehand, and more exact: it is for the first hits of a search.
 */
export interface Reranker {
  readonly card: RerankerCard
  readonly device: RerankerDevice
  /**
   * Scores every text for one query. The order of the texts is kept; no texts give an empty result. Any string is
   * taken: an empty one is scored as the template around it, half a surrogate pair as U+FFFD. A document is given as it
   * is embedded: its title, a space and its text.
   *
   * What is too long is cut at its end: the query to `card.maxQueryTokens`, then the text to what the row has left. The
   * words of the template are never cut.
   *
   * @throws ServiceError TOO_LARGE (a call that never fits into the queue; `limit`), OVERLOADED (queue full now;
   *   `retryAfterMs`, `lane`), ABORTED, UNAVAILABLE (closed or dead), INTERNAL (the model failed)
   */
  score(query: string, texts: readonly string[], options?: ScoreOptions): Promise<ScoreResult>
  /** @throws ServiceError UNAVAILABLE where an implementation has to ask a part that is gone */
  stats(): Promise<RerankerStats>
  /**
   * Calls every listener once if the reranker ends without `close`, one that comes later at once. Every `score` then
   * rejects with UNAVAILABLE.
   */
  onDeath(listener: (error: ServiceError) => void): void
  /** Finishes the running batch, rejects what waits with UNAVAILABLE, frees the model. Idempotent. */
  close(): Promise<void>
}

export type { Lane }

export interface ScoreOptions {
  /** Default `interactive`: somebody waits for the order. */
  lane?: Lane
  /** An aborted call leaves the queue before it costs an inference; its promise rejects with ABORTED. */
  signal?: AbortSignal
  /**
   * Whose texts these are. The clients of a lane take turns, and none takes all of the queue. Calls without a client
   * are one client, which may.
   */
  client?: string
}

export interface ScoreResult {
  /**
   * The model's logit for text i; larger is better. Scores compare texts for one query by one model. They have no
   * fixed range: 1 / (1 + exp(-score)) lies between 0 and 1 and keeps the order.
   */
  scores: Float32Array
  /** Tokens of row i: query, text and template. */
  tokens: Uint32Array
  /** 1 where text i was cut to fit. */
  truncated: Uint8Array
  /** Whether the query was cut to fit. */
  queryTruncated: boolean
  timings: ScoreTimings
}

/** Wall-clock milliseconds of the slowest part of a call. */
export interface ScoreTimings {
  tokenizeMs: number
  queueMs: number
  inferenceMs: number
}

/** What a caller may know about the model that runs. */
export interface RerankerCard {
  /** Name of the model, e.g. `rankllama-passage`. */
  id: string
  kind: 'reranker'
  /** Most tokens of a row: query, text and template. */
  maxTokens: number
  /** Most tokens of the query; what a shorter one leaves is the text's. */
  maxQueryTokens: number
  precision: string
  /** What the model reads, for people: `{query}` and `{text}` stand for the two. */
  template: string
  /** sha256 (hex) over weights, tokenizer, template, head and precision: scores compare within it. */
  fingerprint: string
  licence: string
}

/** Where the model runs, and why there. */
export type RerankerDevice = Device

/** Gauges of the queue and counters since start, for metrics. */
export type RerankerStats = QueueStats
