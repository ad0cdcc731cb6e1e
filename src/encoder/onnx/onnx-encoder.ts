import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import type { ServiceError } from '../../errors.ts'
import type { DeviceChoice } from '../../inference/device.ts'
import { ExitGuard } from '../../inference/exit-guard.ts'
import { disableRuntimeTelemetry } from '../../inference/no-telemetry.ts'
import { QueueAccount } from '../../inference/queue-account.ts'
import { QueueShares } from '../../inference/queue-shares.ts'
import { limitsFrom } from '../../limits.ts'
import type { Card } from '../../model/card.ts'
import { FileCheck } from '../../model/file-check.ts'
import { passesOf, rowTokensMax } from '../../model/prompt.ts'
import { readCard } from '../../model/read-card.ts'
import { SHARE_LIMITS, type ShareLimits } from '../../sharing/limits.ts'
import { WorkerClient } from '../../worker/client.ts'
import { spawnWorker } from '../../worker/spawn.ts'
import type { Watch } from '../../worker/watchdog.ts'
import type {
  EncodeOptions,
  EncodeResult,
  Encoder,
  EncoderCard,
  EncoderDevice,
  EncoderStats,
  Lane,
  Prompt,
} from '../encoder.ts'
import { ENCODER_LIMITS, type EncoderLimits } from '../limits.ts'
import { abandoned, closed, epochMs } from './encode-call.ts'
import { encoderCard } from './encoder-card.ts'
import type { EncoderEngine, WorkerOptions } from './worker.ts'

/**
 * `before`: the encoder opens when all of the model is known to be what its card says. `background`: it opens as soon as
 * it can, and dies when something turns out not to be. `off`: of large files the sizes alone are compared.
 */
export type ModelCheck = 'before' | 'background' | 'off'

export interface OnnxEncoderOptions {
  /** Folder with model.json, model.onnx and tokenizer.json. */
  modelFolder: string
  /** When the checksums of large files are compared; default `before`. */
  check?: ModelCheck
  /** Default `auto`. */
  device?: DeviceChoice
  /** CUDA device number, default 0. */
  deviceId?: number
  /** Threads inside one operator on the CPU; default as many as the process may use. */
  intraOpThreads?: number
  /** Whether those threads wait for work by spinning, default false. */
  spinning?: boolean
  /** Other names than those of `ENCODER_LIMITS` and `SHARE_LIMITS` are ignored. */
  limits?: Partial<EncoderLimits & ShareLimits>
  /** Who is to know when the encoder's thread does not answer. */
  watch?: Watch
}

/** How long an exit of the process waits for the running batch; `close` it first to wait for all of it. */
const EXIT_WAIT_MS_MAX = 2_000

/**
 * Starts the worker thread, loads the model and runs a first real embedding.
 *
 * @throws ServiceError MODEL_UNUSABLE: the folder, the card (a reranker's too), its files or the device; the message
 *   says which and what to do. INVALID_CONFIG: a limit out of its range
 */
export async function openOnnxEncoder(options: OnnxEncoderOptions): Promise<OnnxEncoder> {
  const limits = limitsFrom(ENCODER_LIMITS, options.limits)
  const modelFolder = resolve(options.modelFolder)
  const card = readCard(modelFolder, 'encoder')
  const accountOptions = { name: 'encoder', limits, rowTokensMax: rowTokensMax(card) }
  const account = new QueueAccount(accountOptions)
  const { clientSharePercent } = limitsFrom(SHARE_LIMITS, options.limits)
  const shares = new QueueShares(accountOptions.name, limits, clientSharePercent)
  const exitGuard = new ExitGuard()
  disableRuntimeTelemetry()
  const { check: when = 'before' } = options
  const check = when === 'off' ? undefined : new FileCheck(modelFolder, card.files)
  const worker = spawnWorker(
    new URL('./worker.ts', import.meta.url),
    {
      modelFolder,
      card,
      device: options.device ?? 'auto',
      deviceId: options.deviceId ?? 0,
      intraOpThreads: options.intraOpThreads ?? availableParallelism(),
      spinning: options.spinning ?? false,
      limits,
      account: { ...accountOptions, buffer: account.buffer },
      exitGuard: exitGuard.buffer,
    } satisfies WorkerOptions,
    import.meta.url,
  )
  const holdExit = () => exitGuard.leave(EXIT_WAIT_MS_MAX)
  process.once('exit', holdExit)
  worker.once('exit', () => process.off('exit', holdExit))
  const client = new WorkerClient<EncoderEngine>(worker, 'The encoder', options.watch)
  try {
    const device = await client.ready()
    if (when === 'before') await check?.done
    return new OnnxEncoder(client, card, device, { account, shares, check })
  } catch (error) {
    await Promise.all([worker.terminate(), check?.stop()])
    throw error
  }
}

/** A LLaRA model in ONNX Runtime, in a worker thread of its own. */
export class OnnxEncoder implements Encoder {
  readonly card: EncoderCard
  readonly device: EncoderDevice
  readonly #model: Card
  readonly #client: WorkerClient<EncoderEngine>
  readonly #account: QueueAccount
  readonly #shares: QueueShares
  readonly #check: FileCheck | undefined
  readonly #deathListeners: ((error: ServiceError) => void)[] = []
  #death: ServiceError | undefined
  #closing: Promise<void> | undefined

  /** Use `openOnnxEncoder`. */
  constructor(
    client: WorkerClient<EncoderEngine>,
    card: Card,
    device: EncoderDevice,
    { account, shares, check }: { account: QueueAccount; shares: QueueShares; check: FileCheck | undefined },
  ) {
    this.card = encoderCard(card)
    this.#model = card
    this.device = device
    this.#client = client
    this.#account = account
    this.#shares = shares
    this.#check = check
    client.onDeath((error) => this.#die(error))
    check?.done.catch((error: ServiceError) => this.#die(error))
  }

  async encode<P extends Prompt>(
    texts: readonly string[],
    prompts: readonly P[],
    { lane = 'bulk', truncate = 'end', signal, client }: EncodeOptions = {},
  ): Promise<EncodeResult<P>> {
    const passes = passesOf(this.#model, prompts)
    if (this.#death) throw this.#death
    if (this.#closing) throw closed()
    if (signal?.aborted) throw abandoned()
    const giveBack = this.#admit(texts, passes.length, lane, client)
    const request = { texts, passes, lane, client: client ?? '', truncate, submittedAt: epochMs() }
    const { vectors, ...rest } = await this.#client.call('encode', request, { signal }).finally(giveBack)
    const rows = passes.flat().map((prompt, i) => [prompt, this.#rows(vectors, i, texts.length)])
    return { vectors: Object.fromEntries(rows) as Record<P, Float32Array[]>, ...rest }
  }

  async stats(): Promise<EncoderStats> {
    return this.#account.stats()
  }

  onDeath(listener: (error: ServiceError) => void): void {
    if (this.#death) listener(this.#death)
    else this.#deathListeners.push(listener)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([this.#check?.stop(), this.#client.close()])
  }

  #die(error: ServiceError): void {
    if (this.#death) return
    this.#death = error
    for (const listener of this.#deathListeners) listener(error)
  }

  /** Takes places in the queue; the returned call gives the client's share of them back. */
  #admit(texts: readonly string[], rowsPerText: number, lane: Lane, client: string | undefined): () => void {
    const ticket = this.#account.ticket(texts, lane, rowsPerText)
    ticket.admit()
    if (client === undefined) return () => {}
    try {
      return this.#shares.take(ticket, lane, client)
    } catch (error) {
      ticket.releaseRest()
      throw error
    }
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
