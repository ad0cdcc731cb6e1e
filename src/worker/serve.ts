import { parentPort, type Transferable } from 'node:worker_threads'
import { errorToWire, type FromWorker, type ToWorker } from './protocol.ts'

/** A result with the buffers that go along without a copy. */
export class Transfer {
  readonly value: unknown
  readonly buffers: Transferable[]
  constructor(value: unknown, buffers: Transferable[]) {
    this.value = value
    this.buffers = buffers
  }
}

/** Methods by name. Each gets the caller's argument and a signal that fires when the caller gives up. */
export type Methods = Record<string, (argument: never, signal: AbortSignal) => unknown>

/**
 * Runs in the worker: starts, says so, then answers calls. `start` gives the methods and what `ready()` on the
 * other side resolves with; what it throws fails `ready()`.
 */
export async function serveWorker(start: () => Promise<{ ready: unknown; methods: Methods }>): Promise<void> {
  const port = parentPort
  if (!port) throw new Error('serveWorker runs in a worker thread only')
  const send = (message: FromWorker, transfer: Transferable[] = []) => port.postMessage(message, transfer)
  const aborts = new Map<number, AbortController>()
  let methods: Methods
  try {
    const started = await start()
    methods = started.methods
    send({ kind: 'ready', value: started.ready })
  } catch (error) {
    send({ kind: 'start-failure', error: errorToWire(error) })
    return
  }
  port.on('message', async (message: ToWorker) => {
    if (message.kind === 'abort') {
      aborts.get(message.id)?.abort()
      return
    }
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
      send({ kind: 'failure', id, error: errorToWire(error) })
    } finally {
      aborts.delete(id)
    }
  })
}

/** Sends an event to the client's `on(name)` listener. */
export function emitFromWorker(name: string, value: unknown): void {
  parentPort?.postMessage({ kind: 'event', name, value } satisfies FromWorker)
}
