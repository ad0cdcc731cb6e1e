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
import { readCard } from '../../model/read-card.ts'
import type { ShareLimits } from '../../sharing/limits.ts'
import { RERANKER_LIMITS, type RerankerLimits } from '../limits.ts'
import type {
  Reranker,
  RerankerCard,
  RerankerDevice,
  RerankerStats,
  ScoreOptions,
  ScoreResult,
} from '../reranker.ts'
import type { RerankerEngine } from './worker.ts'

/** Of the time, for work that nobody waits for, while searches never stop waiting. It is rare here. */
const BULK_SHARE_PERCENT = 20

export interface OnnxRerankerOptions extends ModelThreadOptions {
  /** Other names than those of `RERANKER_LIMITS` and `SHARE_LIMITS` are ignored. */
  limits?: Partial<RerankerLimits & ShareLimits>
}

/**
 * Starts the worker thread, loads the model and scores a first text.
 *
 * @throws ServiceError MODEL_UNUSABLE: the folder, the card (an encoder's too), its files or the device; the message
 *   says which and what to do. INVALID_CONFIG: a limit out of its range
 */
export async function openOnnxReranker({ limits, ...options }: OnnxRerankerOptions): Promise<OnnxReranker> {
  const own = limitsFrom(RERANKER_LIMITS, limits)
  const card = readCard(resolve(options.modelFolder), 'reranker')
  const part = {
    name: 'reranker',
    card,
    rowTokensMax: card.template.maxTokens,
    limits: {
      bulkSharePercent: BULK_SHARE_PERCENT,
      bulkBatchMsMax: own.rerankBatchMsMax,
      interactiveBatchMsMax: own.rerankBatchMsMax,
      batchTokensMax: own.rerankBatchTokensMax,
      queueTextsMax: own.rerankQueueTextsMax,
      queueTokensMax: own.rerankQueueTokensMax,
      queueCharsMax: own.rerankQueueCharsMax,
    },
    shareLimits: limits,
    worker: new URL('./worker.ts', import.meta.url),
    builtFrom: import.meta.url,
  }
  return new OnnxReranker(await startModelThread<RerankerEngine, 'reranker'>(part, options), card)
}

/** A reranker of the LLaMA family in ONNX Runtime, in a worker thread of its own. */
export class OnnxReranker implements Reranker {
  readonly card: RerankerCard
  readonly device: RerankerDevice
  readonly #thread: ModelThread<RerankerEngine>

  /** Use `openOnnxReranker`. */
  constructor(thread: ModelThread<RerankerEngine>, { template, ...card }: Card<'reranker'>) {
    this.card = {
      id: card.id,
      kind: card.kind,
      maxTokens: template.maxTokens,
      maxQueryTokens: template.maxQueryTokens,
      precision: card.precision,
      template: template.shown,
      fingerprint: card.fingerprint,
      licence: card.licence,
    }
    this.device = thread.device
    this.#thread = thread
  }

  async score(
    query: string,
    texts: readonly string[],
    { lane = 'interactive', signal, client }: ScoreOptions = {},
  ): Promise<ScoreResult> {
    const giveBack = this.#thread.admit(texts, 1, { lane, client, signal })
    const request = { query, texts, lane, client: client ?? '', submittedAt: epochMs() }
    return this.#thread.client.call('score', request, { signal }).finally(giveBack)
  }

  stats(): Promise<RerankerStats> {
    return this.#thread.stats()
  }

  onDeath(listener: (error: ServiceError) => void): void {
    this.#thread.onDeath(listener)
  }

  close(): Promise<void> {
    return this.#thread.close()
  }
}
