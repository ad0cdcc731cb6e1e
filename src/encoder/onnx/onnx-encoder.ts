import { resolve } from 'node:path'
import type { ServiceError } from '../../errors.ts'
import { epochMs } from '../../inference/pipeline/row-call.ts'
import {
  type ModelThread,
  type ModelThreadOptions,
  startModelThread,
} from '../../inference/thread/model-thread.ts'
import { limitsFrom } from '../../limits.ts'
import type { Card } from '../../model/card.ts'
import { passesOf, rowTokensMax } from '../../model/prompt.ts'
import { readCard } from '../../model/read-card.ts'
import type { ShareLimits } from '../../sharing/limits.ts'
import type {
  EncodeOptions,
  EncodeResult,
  Encoder,
  EncoderCard,
  EncoderDevice,
  EncoderStats,
  Prompt,
} from '../encoder.ts'
import { ENCODER_LIMITS, type EncoderLimits } from '../limits.ts'
import { encoderCard } from './encoder-card.ts'
import type { EncoderEngine } from './worker.ts'

export interface OnnxEncoderOptions extends ModelThreadOptions {
  /** Other names than those of `ENCODER_LIMITS` and `SHARE_LIMITS` are ignored. */
  limits?: Partial<EncoderLimits & ShareLimits>
}

/**
 * Starts the worker thread, loads the model and runs a first real embedding.
 *
 * @throws ServiceError MODEL_UNUSABLE: the folder, the card (a reranker's too), its files or the device; the message
 *   says which and what to do. INVALID_CONFIG: a limit out of its range
 */
export async function openOnnxEncoder({ limits, ...options }: OnnxEncoderOptions): Promise<OnnxEncoder> {
  const ownLimits = limitsFrom(ENCODER_LIMITS, limits)
  const card = readCard(resolve(options.modelFolder), 'encoder')
  const part = {
    name: 'encoder',
    card,
    rowTokensMax: rowTokensMax(card),
    limits: ownLimits,
    shareLimits: limits,
    worker: new URL('./worker.ts', import.meta.url),
    builtFrom: import.meta.url,
  }
  return new OnnxEncoder(await startModelThread<EncoderEngine, 'encoder'>(part, options), card)
}

/** A LLaRA model in ONNX Runtime, in a worker thread of its own. */
export class OnnxEncoder implements Encoder {
  readonly card: EncoderCard
  readonly device: EncoderDevice
  readonly #model: Card
  readonly #thread: ModelThread<EncoderEngine>

  /** Use `openOnnxEncoder`. */
  constructor(thread: ModelThread<EncoderEngine>, card: Card) {
    this.card = encoderCard(card)
    this.device = thread.device
    this.#model = card
    this.#thread = thread
  }

  async encode<P extends Prompt>(
    texts: readonly string[],
    prompts: readonly P[],
    { lane = 'bulk', truncate = 'end', signal, client }: EncodeOptions = {},
  ): Promise<EncodeResult<P>> {
    const passes = passesOf(this.#model, prompts)
    const giveBack = this.#thread.admit(texts, passes.length, { lane, client, signal })
    const request = { texts, passes, lane, client: client ?? '', truncate, submittedAt: epochMs() }
    const { vectors, ...rest } = await this.#thread.client
      .call('encode', request, { signal })
      .finally(giveBack)
    const rows = passes.flat().map((prompt, i) => [prompt, this.#rows(vectors, i, texts.length)])
    return { vectors: Object.fromEntries(rows) as Record<P, Float32Array[]>, ...rest }
  }

  async countTokens(
    texts: readonly string[],
    { signal }: Pick<EncodeOptions, 'signal'> = {},
  ): Promise<Uint32Array> {
    this.#thread.checkOpen(signal)
    return this.#thread.client.call('countTokens', texts, { signal })
  }

  stats(): Promise<EncoderStats> {
    return this.#thread.stats()
  }

  onDeath(listener: (error: ServiceError) => void): void {
    this.#thread.onDeath(listener)
  }

  close(): Promise<void> {
    return this.#thread.close()
  }

  /** Views of the rows of prompt `prompt` in [prompts, texts, dimensions]. */
  #rows(vectors: Float32Array, prompt: number, texts: number): Float32Array[] {
    const { dimensions } = this.card
    return Array.from({ length: texts }, (_, index) => {
      const start = (prompt * texts + index) * dimensions
      return vectors.subarray(start, start + dimensions)
    })
  }
}
