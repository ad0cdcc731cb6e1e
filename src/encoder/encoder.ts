/**
 * Text in, unit vectors out.
 *
 * - `ebar` (Embedding-Based Auto-Regression, "what comes next") is the prompt of queries.
 * - `ebae` (Embedding-Based Auto-Encoding, "what this says") is the prompt of documents, and of both sides of a
 *   similarity search.
 *
 * Source: LLaRA / Llama2Vec, ACL 2024.
 */
export type Prompt = 'ebar' | 'ebae'

/** `interactive` never waits behind more than one bounded bulk batch; `bulk` takes what time is left. */
export type Lane = 'interactive' | 'bulk'

/** What to do with a text over the prompt's token limit. `end` cuts the body, never the prompt's suffix. */
export type Truncate = 'error' | 'end'

export interface EncodeOptions {
  /** Default `bulk`. */
  lane?: Lane
  /** An aborted request leaves the queue before it costs an inference; its promise rejects with ABORTED. */
  signal?: AbortSignal
  /** Default `end`. */
  truncate?: Truncate
}

/** One prompt's embeddings, row i for text i. */
export interface Embeddings {
  /** n unit-length rows of `card.dimensions` numbers. */
  vectors: Float32Array[]
}

/** What each text cost, index i for text i. */
export interface TextUsage {
  /** Tokens run, prompt included. */
  tokens: Uint32Array
  /** 1 where the body was cut to fit. */
  truncated: Uint8Array
}

/** Wall-clock milliseconds of the slowest part of this call. */
export interface EncodeTimings {
  tokenizeMs: number
  queueMs: number
  inferenceMs: number
}

export interface EncodeResult extends Embeddings, TextUsage {
  timings: EncodeTimings
}

/** Both embeddings of each text out of one joint pass. */
export interface EncodeBothResult extends TextUsage {
  ebar: Embeddings
  ebae: Embeddings
  timings: EncodeTimings
}

/** What a caller may know about the model that runs. */
export interface EncoderCard {
  /** Name of the model, e.g. `llara-mini`. */
  id: string
  dimensions: number
  /** Most tokens of one text, prompt included, per prompt. */
  maxTokens: Record<Prompt, number>
  precision: string
  /** The prompts as text, for people: `{text}` stands for the body. */
  prompts: Record<Prompt, string>
  /** sha256 (hex) over weights, tokenizer, prompts, pooling and precision: the identity of the vector space. */
  fingerprint: string
  licence: string
}

export interface EncoderDevice {
  provider: 'cpu' | 'cuda'
  /** Why this provider runs, in a sentence for the operator. */
  reason: string
}

/** Counters and gauges of the queue, for metrics. */
export interface EncoderLoad {
  waitingTexts: Record<Lane, number>
  /** Padded tokens waiting. */
  waitingTokens: number
  /** Since start. */
  batches: number
  tokens: number
  paddedTokens: number
}

export interface Encoder {
  readonly card: EncoderCard
  readonly device: EncoderDevice
  /**
   * Embeds every text with one prompt. Order is kept; an empty list gives an empty result.
   * @throws ServiceError TEXT_TOO_LONG (`truncate: error`), INVALID_INPUT (a text that is empty or not well-formed
   *   Unicode), OVERLOADED (queue full, with `retryAfterMs`), ABORTED, UNAVAILABLE (closed)
   */
  encode(texts: readonly string[], prompt: Prompt, options?: EncodeOptions): Promise<EncodeResult>
  /** As `encode`, both prompts at once from one joint pass; costs little more than one prompt for long texts. */
  encodeBoth(texts: readonly string[], options?: EncodeOptions): Promise<EncodeBothResult>
  load(): EncoderLoad
  /** Finishes the running batch, rejects what waits with UNAVAILABLE, frees the model. Idempotent. */
  close(): Promise<void>
}
