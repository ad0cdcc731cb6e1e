import { workerData } from 'node:worker_threads'
import { ServiceError } from '../../src/errors.ts'
import { emitFromWorker, serveWorker, Transfer } from '../../src/worker/serve.ts'

/** A small real worker: what the client promises is tried on it. */
serveWorker(async () => {
  if (workerData.refuse) throw new ServiceError('STORE_UNUSABLE', 'refused', { why: 'asked' })
  return {
    ready: { greeting: workerData.greeting },
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
      notify: () => emitFromWorker('news', 42),
      die: () => process.exit(3),
      hang: () => new Promise(() => {}),
      close: () => undefined,
    },
  }
})
