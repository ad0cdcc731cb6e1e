import type { Transferable, Worker } from 'node:worker_threads'
import { ServiceError } from '../errors.ts'
import { errorFromWire, type FromWorker, type ToWorker } from './protocol.ts'
import type { Transfer, WorkerEngine } from './serve.ts'
import { type Watch, Watchdog } from './watchdog.ts'

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
}

export interface CallOptions {
  transfer?: Transferable[]
  /** Tells the worker, which decides what can still be saved; the call settles when the worker answers. */
  signal?: AbortSignal | undefined
}

/** Names of the engine's methods. `close` is the client's own. */
type MethodName<Engine extends WorkerEngine> = Exclude<keyof Engine['methods'], 'close'> & string
type Method<Engine extends WorkerEngine, Name extends keyof Engine['methods']> = Engine['methods'][Name]
type Argument<Engine extends WorkerEngine, Name extends keyof Engine['methods']> = Parameters<
  Method<Engine, Name>
>[0]
/** What a call resolves with: the method's result, out of its `Transfer` where it came in one. */
type Result<Engine extends WorkerEngine, Name extends keyof Engine['methods']> =
  Awaited<ReturnType<Method<Engine, Name>>> extends infer Value
    ? Value extends Transfer<infer Inner>
      ? Inner
      : Value
    : never

/**
 * Calls methods of a worker thread, typed by the engine that runs there. A worker that dies fails every call, waiting
 * and future, with UNAVAILABLE.
 */
export class WorkerClient<Engine extends WorkerEngine> {
  readonly #worker: Worker
  readonly #name: string
  readonly #pending = new Map<number, Pending>()
  readonly #listeners = new Map<string, (value: never) => void>()
  readonly #ready: Promise<unknown>
  #nextId = 1
  #started = false
  #dead: ServiceError | undefined
  #onDeath: ((error: ServiceError) => void) | undefined
  #closed: Promise<void> | undefined
  readonly #watch: Watch | undefined
  /** From the start of the thread's work on. */
  #watchdog: Watchdog | undefined

  /**
   * @param name for messages: "The encoder", "The index"
   * @param watch who is to know when the thread has calls and does not answer
   */
  constructor(worker: Worker, name: string, watch?: Watch) {
    this.#watch = watch
    this.#worker = worker
    this.#name = name
    this.#ready = new Promise((resolve, reject) => this.#pending.set(0, { resolve, reject }))
    this.#ready.catch(() => {})
    worker.on('message', (message: FromWorker) => this.#receive(message))
    worker.on('error', (thrown: unknown) => this.#die(thrown ?? new Error(`${thrown} was thrown`)))
    worker.on('messageerror', (error) => this.#die(error))
    worker.on('exit', (code) => this.#die(new Error(`exit code ${code}`)))
  }

  /** What the worker's start returned. @throws ServiceError whatever its start threw */
  ready(): Promise<Engine['ready']> {
    return this.#ready as Promise<Engine['ready']>
  }

  /** Calls `listener` once if the worker ends without `close` having been called. */
  onDeath(listener: (error: ServiceError) => void): void {
    this.#onDeath = listener
  }

  /** Events that the worker sends by itself, by name. */
  on<Name extends keyof Engine['events'] & string>(
    event: Name,
    listener: (value: Engine['events'][Name]) => void,
  ): void {
    this.#listeners.set(event, listener as (value: never) => void)
  }

  /**
   * Runs a method in the worker. Rejects with whatever the method throws.
   *
   * @throws ServiceError UNAVAILABLE when the worker has ended, ABORTED when the signal fired before the call
   */
  call<Name extends MethodName<Engine>>(
    method: Name,
    argument: Argument<Engine, Name>,
    options: CallOptions = {},
  ): Promise<Result<Engine, Name>> {
    return this.#request(method, argument, options) as Promise<Result<Engine, Name>>
  }

  /** Calls the worker's `close` last, then waits until the thread has ended. A dead worker is closed already. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  #request(method: string, argument: unknown, { signal, transfer }: CallOptions): Promise<unknown> {
    if (this.#dead) return Promise.reject(this.#dead)
    if (signal?.aborted) return Promise.reject(new ServiceError('ABORTED', 'The request was abandoned.'))
    const id = this.#nextId++
    if (this.#pending.size === 0) this.#watchdog?.heard()
    return new Promise((resolve, reject) => {
      const abort = () => this.#send({ kind: 'abort', id })
      const settle = () => signal?.removeEventListener('abort', abort)
      this.#pending.set(id, {
        resolve: (value) => {
          settle()
          resolve(value)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      })
      signal?.addEventListener('abort', abort, { once: true })
      try {
        this.#send({ kind: 'call', id, method, argument }, transfer)
      } catch (error) {
        this.#pending.delete(id)
        settle()
        throw error
      }
    })
  }

  async #close(): Promise<void> {
    try {
      await this.#request('close', undefined, {})
    } catch (error) {
      if (!this.#dead) throw error
    } finally {
      this.#watchdog?.stop()
      await this.#worker.terminate()
    }
  }

  /** @throws DataCloneError for what cannot cross threads */
  #send(message: ToWorker, transfer?: Transferable[]): void {
    this.#worker.postMessage(message, transfer)
  }

  #receive(message: FromWorker): void {
    this.#watchdog?.heard()
    if (message.kind === 'pong') return
    if (message.kind === 'event') {
      this.#listeners.get(message.name)?.(message.value as never)
      return
    }
    const id = message.kind === 'ready' || message.kind === 'start-failure' ? 0 : message.id
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (message.kind === 'ready') this.#begin()
    if (message.kind === 'ready' || message.kind === 'result') pending?.resolve(message.value)
    else pending?.reject(errorFromWire(message.error))
  }

  #begin(): void {
    this.#started = true
    if (!this.#watch) return
    const ask = () => this.#send({ kind: 'ping' })
    this.#watchdog = new Watchdog(this.#name, this.#watch, () => this.#pending.size > 0, ask)
  }

  #die(cause: unknown): void {
    if (this.#dead) return
    this.#watchdog?.stop()
    this.#dead = this.#started
      ? new ServiceError('UNAVAILABLE', `${this.#name} has stopped; restart the service.`, {}, cause)
      : new ServiceError('INTERNAL', `${this.#name} could not start.`, {}, cause)
    for (const pending of this.#pending.values()) pending.reject(this.#dead)
    this.#pending.clear()
    if (!this.#closed) this.#onDeath?.(this.#dead)
  }
}
