import { parentPort, type Transferable } from 'node:worker_threads'
import { errorToWire, type FromWorker, type ToWorker, type WireError } from './protocol.ts'

/** A result with the buffers that go along without a copy. */
export class Transfer<Value> {
  readonly value: Value
  readonly buffers: Transferable[]
  constructor(value: Value, buffers: Transferable[]) {
    this.value = value
    this.buffers = buffers
  }
}

/** A method that a worker offers: it gets the caller's argument and a signal that fires when the caller gives up. */
export type Method = (argument: never, signal: AbortSignal) => unknown

/** What a worker gives once it has started. Its type is what `WorkerClient` is typed by. */
export interface WorkerEngine {
  /** What `ready()` on the other side resolves with. */
  ready: unknown
  /** Answers calls by name; `close` is called last. */
  methods: { close: () => unknown } & Record<string, Method>
  /** Values of the events it may emit, by name; a type only, nothing is stored here. */
  events: object
}

/** Sends an event to the client's `on(name)` listener. */
export type Emit<Events> = <Name extends keyof Events & string>(name: Name, value: Events[Name]) => void

/**
 * Runs in the worker: starts, says so, then answers calls. What `start` throws fails `ready()` on the other side.
 *
 * @param start is given the way to emit events, from the first moment on
 */
export async function serveWorker<Engine extends WorkerEngine>(
  start: (emit: Emit<Engine['events']>) => Promise<Pick<Engine, 'ready' | 'methods'>>,
): Promise<void> {
  const port = parentPort
  if (!port) throw new Error('serveWorker runs in a worker thread only')
  const send = (message: FromWorker, transfer: Transferable[] = []) => port.postMessage(message, transfer)
  /** Also where what was thrown, or the error made of it, cannot be sent. */
  const sendFailure = (failure: (error: WireError) => FromWorker, thrown: unknown) => {
    try {
      send(failure(errorToWire(thrown)))
    } catch (notSent) {
      send(failure(errorToWire(new Error('an error could not be sent', { cause: notSent }))))
    }
  }
  const aborts = new Map<number, AbortController>()
  let methods: WorkerEngine['methods']
  try {
    const started = await start((name, value) => send({ kind: 'event', name, value }))
    methods = started.methods
    send({ kind: 'ready', value: started.ready })
  } catch (error) {
    sendFailure((wire) => ({ kind: 'start-failure', error: wire }), error)
    return
  }
  port.on('message', async (message: ToWorker) => {
    if (message.kind === 'abort') {
      aborts.get(message.id)?.abort()
      return
    }
    if (message.kind === 'ping') return send({ kind: 'pong' })
    const { id } = message
    const abort = new AbortController()
    aborts.set(id, abort)
    try {
      const method = methods[message.method]
      if (!method) throw new Error(`no method ${message.method}`)
      const value = await method(message.argument as never, abort.signal)
      if (value instanceof Transfer) send({ kind: 'result', id, value: value.value }, value.buffers)
      else send({ kind: 'result', id, value })
    } catch (error) {
      sendFailure((wire) => ({ kind: 'failure', id, error: wire }), error)
    } finally {
      aborts.delete(id)
    }
  })
}
