import type { ServiceError } from '../errors.ts'
import type { Device } from '../inference/device.ts'
import type { Lane } from '../inference/lane.ts'
import type { QueueStats } from '../inference/queue-account.ts'
import type { Prompt } from '../model/prompt.ts'

/**
 * Text in, unit vectors out, by one of two prompts or by both. The method is LLaRA, published as "Llama2Vec:
 * Unsupervised Adaptation of Large Language Models for Dense Retrieval" (ACL 2024). Its prompts go by several names:
 *
 * - `ebar` is EBAR (Embedding-Based Auto-Regression, "what comes next"), NEXT in a joint pass. It is the prompt of
 *   queries: `input_type: query` in OpenAI's contract, `task: retrieval` at `/search`.
 * - `ebae` is EBAE (Embedding-Based Auto-Encoding, "what this says"), SELF in a joint pass. It is the prompt of
 *   documents, `input_type: document`, and of both sides of a similarity search, `task: similarity`.
 *
 * A joint pass is one run of the model that gives both embeddings of a text. It takes prompts that begin alike, as
 * LLaRA's do; of a model with others (RepLLaMA's `query:` and `passage:`) both embeddings are two runs.
 */
export interface Encoder {
  readonly card: EncoderCard
  readonly device: EncoderDevice
  /**
   * Embeds every text with one prompt, or with both: from a joint pass, which costs little more than one prompt for
   * long texts, or else from a pass for each. The order of the texts is kept, that of the prompts means nothing; no texts give an empty result.
   * Any string is taken: an empty text is embedded as the prompt alone, half a surrogate pair as U+FFFD.
   *
   * @throws TypeError for no prompt, or one named twice: a mistake of the calling code
   * @throws ServiceError TEXT_TOO_LONG (`truncate: error`; `index`, `limit`), TOO_LARGE (a call that never fits into
   *   the queue; `limit`), OVERLOADED (queue full now; `retryAfterMs`, `lane`), ABORTED, UNAVAILABLE (closed or dead),
   *   INTERNAL (the model failed)
   */
  encode<P extends Prompt>(
    texts: readonly string[],
    prompts: readonly P[],
    options?: EncodeOptions,
  ): Promise<EncodeResult<P>>
  /**
   * Tokens of each text's body as `encode` reads it, without a prompt and whole, however long it is: what
   * `card.bodyTokens` bounds. Takes no place in the queue, so texts should come a few ten thousand characters at a time.
   *
   * @returns number i for text i
   * @throws ServiceError ABORTED, UNAVAILABLE (closed or dead)
   */
  countTokens(texts: readonly string[], options?: Pick<EncodeOptions, 'signal'>): Promise<Uint32Array>
  /** @throws ServiceError UNAVAILABLE where an implementation has to ask a part that is gone */
  stats(): Promise<EncoderStats>
  /**
   * Calls every listener once if the encoder ends without `close`, one that comes later at once. Every `encode` then
   * rejects with UNAVAILABLE.
   */
  onDeath(listener: (error: ServiceError) => void): void
  /** Finishes the running batch, rejects what waits with UNAVAILABLE, frees the model. Idempotent. */
  close(): Promise<void>
}

export type { Lane, Prompt }

/** What to do with a text over the prompt's token limit. `end` cuts the body, never the prompt's suffix. */
export type Truncate = 'error' | 'end'

export interface EncodeOptions {
  /** Default `bulk`. */
  lane?: Lane
  /** An aborted call leaves the queue before it costs an inference; its promise rejects with ABORTED. */
  signal?: AbortSignal
  /** Default `end`. */
  truncate?: Truncate
  /**
   * Whose texts these are. The clients of a lane take turns, and none takes all of the queue. Calls without a client
   * are one client, which may.
   */
  client?: string
}

export interface EncodeResult<P extends Prompt = Prompt> {
  /** For each prompt asked for, a unit-length row of `card.dimensions` numbers for each text, row i for text i. */
  vectors: Record<P, Float32Array[]>
  /** Tokens run for text i in all its passes, prompts included. */
  tokens: Uint32Array
  /** 1 where the body of text i was cut to fit, for any prompt. */
  truncated: Uint8Array
  /** 1 where more than half of the body tokens run for text i (in the shortest row) are the unknown token. */
  mostlyUnknown: Uint8Array
  timings: EncodeTimings
}

/** Wall-clock milliseconds of the slowest part of a call. */
export interface EncodeTimings {
  tokenizeMs: number
  queueMs: number
  inferenceMs: number
}

/** What a caller may know about the model that runs. */
export interface EncoderCard {
  /** Name of the model, e.g. `llara-mini`. */
  id: string
  dimensions: number
  /** Most tokens of one text, prompt included, per prompt. */
  maxTokens: Record<Prompt, number>
  /** Most tokens of one text's body, the prompt not counted: a longer one is cut. */
  bodyTokens: Record<Prompt, number>
  precision: string
  /** The prompts as text, for people: `{text}` stands for the body. */
  prompts: Record<Prompt, string>
  /** sha256 (hex) over weights, tokenizer, prompts, pooling and precision: the identity of the vector space. */
  fingerprint: string
  licence: string
}

/** Where the model runs, and why there. */
export type EncoderDevice = Device

/** Gauges of the queue and counters since start, for metrics. */
export type EncoderStats = QueueStats
