import { workerData } from 'node:worker_threads'
import { ServiceError } from '../../src/errors.ts'
import { type Emit, serveWorker, Transfer } from '../../src/worker/serve.ts'

type Events = { news: number }

/** A small real worker: what the client promises is tried on it. */
async function start(emit: Emit<Events>) {
  if (workerData.refuse) throw new ServiceError('STORE_UNUSABLE', 'refused', { why: 'asked' })
  return {
    ready: { greeting: workerData.greeting as string },
    methods: {
      double: (numbers: Float32Array) => {
        const doubled = numbers.map((number) => number * 2)
        return new Transfer(doubled, [doubled.buffer])
      },
      fail: () => {
        throw new ServiceError('OVERLOADED', 'full', { retryAfterMs: 5 })
      },
      crash: () => {
        throw new TypeError('a fault')
      },
      untilAborted: (_: undefined, signal: AbortSignal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new ServiceError('ABORTED', 'stopped')))
        }),
      notify: () => emit('news', 42),
      die: () => process.exit(3),
      hang: () => new Promise(() => {}),
      close: () => undefined,
    },
  }
}

export type SampleEngine = Awaited<ReturnType<typeof start>> & { events: Events }

serveWorker<SampleEngine>(start)
