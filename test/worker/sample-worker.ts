import { workerData } from 'node:worker_threads'
import { ServiceError } from '../../src/errors.ts'
import { type Emit, serveWorker, Transfer } from '../../src/worker/serve.ts'

type Events = { news: number }

/** What code may throw, by name. */
const THROWN: Record<string, () => unknown> = {
  text: () => 'only words',
  nothing: () => undefined,
  null: () => null,
  object: () => ({ secret: 'hush' }),
  symbol: () => Symbol('sign'),
  chain: () =>
    new TypeError('outer', { cause: coded(new RangeError('middle', { cause: new Error('inner') })) }),
  circular: () => {
    const first = new Error('first')
    first.cause = new Error('second', { cause: first })
    return first
  },
  many: () => new AggregateError([new Error('one of them'), new Error('two')], 'several'),
  getter: () =>
    Object.defineProperty(new Error('readable'), 'stack', {
      get() {
        throw new Error('not readable')
      },
    }),
  unsendable: () => new ServiceError('TOO_LARGE', 'much', { limit: (() => 1) as never }),
  internal: () => new ServiceError('INTERNAL', 'known to be ours'),
}

function coded(error: Error): Error {
  return Object.assign(error, { code: 'ERR_SAMPLE' })
}

/** A small real worker: what the client promises is tried on it. */
async function start(emit: Emit<Events>) {
  if (workerData.throws) throw THROWN[workerData.throws]!()
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
      throwing: (name: string) => {
        throw THROWN[name]!()
      },
      unsendable: () => () => 1,
      untilAborted: (_: undefined, signal: AbortSignal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new ServiceError('ABORTED', 'stopped')))
        }),
      notify: () => emit('news', 42),
      die: () => process.exit(3),
      hang: () => new Promise(() => {}),
      /** Holds the thread until the first number is no longer 0. */
      block: (until: Int32Array) => {
        Atomics.wait(until, 0, 0)
      },
      close: () => undefined,
    },
  }
}

export type SampleEngine = Awaited<ReturnType<typeof start>> & { events: Events }

serveWorker<SampleEngine>(start)
