import type { Transferable, Worker } from 'node:worker_threads'
import { ServiceError } from '../errors.ts'
import { errorFromWire, type FromWorker, type ToWorker } from './protocol.ts'

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
}

export interface CallOptions {
  transfer?: Transferable[]
  /** Tells the worker, which decides what can still be saved; the call settles when the worker answers. */
  signal?: AbortSignal
}

/** Calls methods of a worker thread. A worker that dies fails every call, waiting and future, with UNAVAILABLE. */
export class WorkerClient {
  readonly #worker: Worker
  readonly #name: string
  readonly #pending = new Map<number, Pending>()
  readonly #listeners = new Map<string, (value: never) => void>()
  readonly #ready: Promise<unknown>
  #nextId = 1
  #dead: ServiceError | undefined
  #onDeath: ((error: ServiceError) => void) | undefined
  #closed: Promise<void> | undefined

  /** @param name for messages: "the encoder", "the vector store" */
  constructor(worker: Worker, name: string) {
    this.#worker = worker
    this.#name = name
    this.#ready = new Promise((resolve, reject) => this.#pending.set(0, { resolve, reject }))
    this.#ready.catch(() => {})
    worker.on('message', (message: FromWorker) => this.#receive(message))
    worker.on('error', (error) => this.#die(error))
    worker.on('exit', (code) => this.#die(new Error(`exit code ${code}`)))
  }

  /** What the worker's start returned. @throws ServiceError whatever its start threw */
  ready<T>(): Promise<T> {
    return this.#ready as Promise<T>
  }

  /** Calls `onDeath` once if the worker ends without `close` having been called. */
  onDeath(listener: (error: ServiceError) => void): void {
    this.#onDeath = listener
  }

  /** Messages the worker sends unasked, by name. */
  on<T>(event: string, listener: (value: T) => void): void {
    this.#listeners.set(event, listener as (value: never) => void)
  }

  /** Calls waiting for an answer. */
  get waiting(): number {
    return this.#pending.size
  }

  call<T>(method: string, argument: unknown, options: CallOptions = {}): Promise<T> {
    if (this.#dead) return Promise.reject(this.#dead)
    const { signal } = options
    if (signal?.aborted) return Promise.reject(new ServiceError('ABORTED', 'The request was abandoned.'))
    const id = this.#nextId++
    return new Promise<T>((resolve, reject) => {
      const abort = () => this.#send({ kind: 'abort', id })
      const settle = () => signal?.removeEventListener('abort', abort)
      this.#pending.set(id, {
        resolve: (value) => {
          settle()
          resolve(value as T)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      })
      signal?.addEventListener('abort', abort, { once: true })
      this.#send({ kind: 'call', id, method, argument }, options.transfer)
    })
  }

  /** Calls the worker's `close` last, then waits until the thread has ended. A dead worker is closed already. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    try {
      await this.call('close', undefined)
    } catch (error) {
      if (!this.#dead) throw error
    } finally {
      await this.#worker.terminate()
    }
  }

  #send(message: ToWorker, transfer?: Transferable[]): void {
    this.#worker.postMessage(message, transfer)
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'event') {
      this.#listeners.get(message.name)?.(message.value as never)
      return
    }
    const id = message.kind === 'ready' || message.kind === 'start-failure' ? 0 : message.id
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (message.kind === 'ready' || message.kind === 'result') pending?.resolve(message.value)
    else pending?.reject(errorFromWire(message.error))
  }

  #die(cause: Error): void {
    if (this.#dead) return
    this.#dead = new ServiceError('UNAVAILABLE', `${this.#name} has stopped; restart the service.`, {}, cause)
    for (const pending of this.#pending.values()) pending.reject(this.#dead)
    this.#pending.clear()
    if (!this.#closed) this.#onDeath?.(this.#dead)
  }
}
