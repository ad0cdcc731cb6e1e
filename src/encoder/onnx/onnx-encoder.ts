import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { ServiceError } from '../../errors.ts'
import type { DeviceChoice } from '../../inference/device.ts'
import { ExitGuard } from '../../inference/exit-guard.ts'
import { DEFAULT_LIMITS, type EncoderLimits, estimatedCost } from '../../inference/limits.ts'
import { LoadCounters } from '../../inference/load-counters.ts'
import { disableRuntimeTelemetry } from '../../inference/no-telemetry.ts'
import { admit, checkTexts } from '../../inference/queue-admission.ts'
import type { Card } from '../../model/card.ts'
import { encoderCard, rowTokensMax, type Task } from '../../model/prompt.ts'
import { readCard } from '../../model/read-card.ts'
import { WorkerClient } from '../../worker/client.ts'
import { spawnWorker } from '../../worker/spawn.ts'
import type {
  EncodeBothResult,
  EncodeOptions,
  EncodeResult,
  Encoder,
  EncoderCard,
  EncoderDevice,
  EncoderLoad,
  Prompt,
} from '../encoder.ts'
import { type CallRequest, type CallResult, epochMs } from './encode-call.ts'
import type { EncoderEngine, WorkerOptions } from './worker.ts'

export interface OnnxEncoderOptions {
  /** Folder with model.json, model.onnx and tokenizer.json. */
  modelFolder: string
  /** Default `auto`. */
  device?: DeviceChoice
  /** CUDA device number, default 0. */
  deviceId?: number
  /** Threads inside one operator on the CPU; default as many as the process may use. */
  intraOpThreads?: number
  limits?: Partial<EncoderLimits>
}

/** How long an exit of the process waits for the running batch; `close` it first to wait for all of it. */
const EXIT_WAIT_MS_MAX = 2_000

/**
 * Starts the worker thread, loads the model and runs a first real embedding.
 *
 * @throws ServiceError MODEL_UNUSABLE: the folder, the card, its files or the device; says which and what to do
 */
export async function openOnnxEncoder(options: OnnxEncoderOptions): Promise<OnnxEncoder> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const modelFolder = resolve(options.modelFolder)
  const card = readCard(modelFolder)
  const counters = new LoadCounters()
  const exitGuard = new ExitGuard()
  disableRuntimeTelemetry()
  const worker = spawnWorker(
    new URL('./worker.ts', import.meta.url),
    {
      modelFolder,
      card,
      device: options.device ?? 'auto',
      deviceId: options.deviceId ?? 0,
      intraOpThreads: options.intraOpThreads ?? availableParallelism(),
      limits,
      counters: counters.buffer,
      exitGuard: exitGuard.buffer,
    } satisfies WorkerOptions,
    import.meta.url,
  )
  const holdExit = () => exitGuard.leave(EXIT_WAIT_MS_MAX)
  process.once('exit', holdExit)
  worker.once('exit', () => process.off('exit', holdExit))
  const client = new WorkerClient<EncoderEngine>(worker, 'The encoder')
  try {
    return new OnnxEncoder(client, card, await client.ready(), limits, counters)
  } catch (error) {
    await worker.terminate()
    throw error
  }
}

/** A LLaRA model in ONNX Runtime, in a worker thread of its own. */
export class OnnxEncoder implements Encoder {
  readonly card: EncoderCard
  readonly device: EncoderDevice
  readonly #client: WorkerClient<EncoderEngine>
  readonly #limits: EncoderLimits
  readonly #counters: LoadCounters
  readonly #rowTokensMax: number
  #closing: Promise<void> | undefined

  /** Use `openOnnxEncoder`. */
  constructor(
    client: WorkerClient<EncoderEngine>,
    card: Card,
    device: EncoderDevice,
    limits: EncoderLimits,
    counters: LoadCounters,
  ) {
    this.card = encoderCard(card)
    this.device = device
    this.#client = client
    this.#limits = limits
    this.#counters = counters
    this.#rowTokensMax = rowTokensMax(card)
  }

  async encode(texts: readonly string[], prompt: Prompt, options: EncodeOptions = {}): Promise<EncodeResult> {
    const { vectors, ...usage } = await this.#call(texts, prompt, options)
    return { ...usage, vectors: this.#rows(vectors, 0, texts.length) }
  }

  async encodeBoth(texts: readonly string[], options: EncodeOptions = {}): Promise<EncodeBothResult> {
    const { vectors, ...usage } = await this.#call(texts, 'both', options)
    return {
      ...usage,
      ebae: { vectors: this.#rows(vectors, 0, texts.length) },
      ebar: { vectors: this.#rows(vectors, 1, texts.length) },
    }
  }

  load(): EncoderLoad {
    return this.#counters.load()
  }

  /** Calls `listener` once if the worker thread ends by itself; every call then rejects with UNAVAILABLE. */
  onDeath(listener: (error: ServiceError) => void): void {
    this.#client.onDeath(listener)
  }

  close(): Promise<void> {
    this.#closing ??= this.#client.close()
    return this.#closing
  }

  async #call(texts: readonly string[], task: Task, options: EncodeOptions): Promise<CallResult> {
    const { lane = 'bulk', truncate = 'end', signal } = options
    if (this.#closing) throw new ServiceError('UNAVAILABLE', 'The encoder is closed.')
    if (signal?.aborted) throw new ServiceError('ABORTED', 'The request was abandoned.')
    checkTexts(texts, this.#limits)
    if (texts.length === 0) return emptyResult()
    admit(estimatedCost(texts, this.#rowTokensMax), lane, this.#counters, this.#limits)
    const request: CallRequest = { texts, task, lane, truncate, submittedAt: epochMs() }
    return this.#client.call('encode', request, signal ? { signal } : {})
  }

  /** Views of group `group`'s rows in [groups, texts, dimensions]. */
  #rows(vectors: Float32Array, group: number, count: number): Float32Array[] {
    const { dimensions } = this.card
    return Array.from({ length: count }, (_, index) => {
      const start = (group * count + index) * dimensions
      return vectors.subarray(start, start + dimensions)
    })
  }
}

function emptyResult(): CallResult {
  return {
    vectors: new Float32Array(0),
    tokens: new Uint32Array(0),
    truncated: new Uint8Array(0),
    timings: { tokenizeMs: 0, queueMs: 0, inferenceMs: 0 },
  }
}
