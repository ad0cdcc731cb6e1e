import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import type { ServiceError } from '../../errors.ts'
import { limitsFrom } from '../../limits.ts'
import type { Card, CardKind } from '../../model/card.ts'
import { FileCheck } from '../../model/file-check.ts'
import { SHARE_LIMITS, type ShareLimits } from '../../sharing/limits.ts'
import { WorkerClient } from '../../worker/client.ts'
import type { WorkerEngine } from '../../worker/serve.ts'
import { spawnWorker } from '../../worker/spawn.ts'
import type { Watch } from '../../worker/watchdog.ts'
import type { Device, DeviceChoice, DeviceOptions } from '../device.ts'
import { ExitGuard } from '../exit-guard.ts'
import type { Lane } from '../lane.ts'
import { disableRuntimeTelemetry } from '../no-telemetry.ts'
import { abandoned, closed } from '../pipeline/row-call.ts'
import {
  QueueAccount,
  type QueueAccountOptions,
  type QueueLimits,
  type QueueStats,
} from '../queue-account.ts'
import { QueueShares } from '../queue-shares.ts'
import type { BatchLimits } from '../scheduler.ts'

/**
 * `before`: the model opens when all of it is known to be what its card says. `background`: it opens as soon as it can,
 * and dies when something turns out not to be. `off`: of large files the sizes alone are compared.
 */
export type ModelCheck = 'before' | 'background' | 'off'

/** How a model is opened, whatever it is for. */
export interface ModelThreadOptions {
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
  /** Who is to know when the model's thread does not answer. */
  watch?: Watch
}

/** What the kind of model decides. */
export interface ModelThreadPart<Kind extends CardKind> {
  /** For messages: `encoder`. */
  name: string
  card: Card<Kind>
  /** Tokens of the longest row the model makes. */
  rowTokensMax: number
  limits: BatchLimits & QueueLimits
  /** `SHARE_LIMITS`; other names are ignored. */
  shareLimits: Partial<ShareLimits> | undefined
  /** The worker's module, and the caller's own `import.meta.url`. */
  worker: URL
  builtFrom: string
}

/** What the worker is given. */
export interface ModelWorkerData<Kind extends CardKind> extends DeviceOptions {
  modelFolder: string
  card: Card<Kind>
  limits: BatchLimits & QueueLimits
  /** Shared with the face. */
  account: QueueAccountOptions
  exitGuard: SharedArrayBuffer
}

/** An engine whose worker has loaded a model. */
export interface ModelEngine extends WorkerEngine {
  ready: Device
}

/** How long an exit of the process waits for the running batch; close the model first to wait for all of it. */
const EXIT_WAIT_MS_MAX = 2_000

/**
 * Starts a worker thread that loads a model.
 *
 * @throws ServiceError MODEL_UNUSABLE: its files or the device; whatever the worker's start throws
 */
export async function startModelThread<Engine extends ModelEngine, Kind extends CardKind>(
  part: ModelThreadPart<Kind>,
  options: ModelThreadOptions,
): Promise<ModelThread<Engine>> {
  const { name, card, limits, rowTokensMax } = part
  const { check: when = 'before' } = options
  const modelFolder = resolve(options.modelFolder)
  const accountOptions = { name, limits, rowTokensMax }
  const account = new QueueAccount(accountOptions)
  const { clientSharePercent } = limitsFrom(SHARE_LIMITS, part.shareLimits)
  const shares = new QueueShares(name, limits, clientSharePercent)
  const exitGuard = new ExitGuard()
  disableRuntimeTelemetry()
  const check = when === 'off' ? undefined : new FileCheck(modelFolder, card.files)
  const worker = spawnWorker(
    part.worker,
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
    } satisfies ModelWorkerData<Kind>,
    part.builtFrom,
  )
  const holdExit = () => exitGuard.leave(EXIT_WAIT_MS_MAX)
  process.once('exit', holdExit)
  worker.once('exit', () => process.off('exit', holdExit))
  const client = new WorkerClient<Engine>(worker, `The ${name}`, options.watch)
  try {
    const device = await client.ready()
    if (when === 'before') await check?.done
    return new ModelThread(name, client, device, { account, shares, check })
  } catch (error) {
    await Promise.all([worker.terminate(), check?.stop()])
    throw error
  }
}

/** The callers' side of a model that runs in a thread of its own: places in its queue, its life and its end. */
export class ModelThread<Engine extends ModelEngine> {
  readonly client: WorkerClient<Engine>
  readonly device: Device
  readonly #name: string
  readonly #account: QueueAccount
  readonly #shares: QueueShares
  readonly #check: FileCheck | undefined
  readonly #deathListeners: ((error: ServiceError) => void)[] = []
  #death: ServiceError | undefined
  #closing: Promise<void> | undefined

  /** Use `startModelThread`. */
  constructor(
    name: string,
    client: WorkerClient<Engine>,
    device: Device,
    { account, shares, check }: { account: QueueAccount; shares: QueueShares; check: FileCheck | undefined },
  ) {
    this.#name = name
    this.client = client
    this.device = device
    this.#account = account
    this.#shares = shares
    this.#check = check
    client.onDeath((error) => this.#die(error))
    check?.done.catch((error: ServiceError) => this.#die(error))
  }

  /** @throws ServiceError UNAVAILABLE (dead or closed), ABORTED */
  checkOpen(signal: AbortSignal | undefined): void {
    if (this.#death) throw this.#death
    if (this.#closing) throw closed(this.#name)
    if (signal?.aborted) throw abandoned()
  }

  /**
   * Takes places in the queue for a call.
   *
   * @param rowsPerText runs of the model that each text takes
   * @returns gives the client's share of them back; to be called when the call has settled
   * @throws ServiceError UNAVAILABLE (dead or closed), ABORTED, TOO_LARGE, OVERLOADED
   */
  admit(
    texts: readonly string[],
    rowsPerText: number,
    { lane, client, signal }: { lane: Lane; client: string | undefined; signal: AbortSignal | undefined },
  ): () => void {
    this.checkOpen(signal)
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

  async stats(): Promise<QueueStats> {
    return this.#account.stats()
  }

  /** Calls the listener once if the thread ends without `close` or its files are not what the card says. */
  onDeath(listener: (error: ServiceError) => void): void {
    if (this.#death) listener(this.#death)
    else this.#deathListeners.push(listener)
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([this.#check?.stop(), this.client.close()])
  }

  #die(error: ServiceError): void {
    if (this.#death) return
    this.#death = error
    for (const listener of this.#deathListeners) listener(error)
  }
}
