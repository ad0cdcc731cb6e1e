import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { causeLine, causeText } from '../../src/cause.ts'
import type { ServiceError } from '../../src/errors.ts'
import { WorkerClient } from '../../src/worker/client.ts'
import { spawnWorker } from '../../src/worker/spawn.ts'
import type { SampleEngine } from './sample-worker.ts'

/** Shared by the tests that leave it alive. */
let shared: WorkerClient<SampleEngine>
beforeAll(() => {
  shared = start()
})
afterAll(() => shared.close())

const opened: WorkerClient<SampleEngine>[] = []
function open(data: object = {}): WorkerClient<SampleEngine> {
  const client = start(data)
  opened.push(client)
  return client
}
function start(data: object = {}): WorkerClient<SampleEngine> {
  const worker = spawnWorker(new URL('./sample-worker.ts', import.meta.url), data, import.meta.url)
  return new WorkerClient<SampleEngine>(worker, 'The sample worker')
}
afterEach(() => Promise.all(opened.splice(0).map((client) => client.close())))

test('ready gives what the start returned', async () => {
  expect(await open({ greeting: 'hello' }).ready()).toEqual({ greeting: 'hello' })
})

test('a start that throws fails ready with its own code', async () => {
  await expect(open({ refuse: true }).ready()).rejects.toMatchObject({
    code: 'STORE_UNUSABLE',
    details: { why: 'asked' },
  })
})

test('buffers go over and come back without a copy on the way out', async () => {
  const numbers = Float32Array.of(1, 2, 3)
  const doubled = await shared.call('double', numbers, { transfer: [numbers.buffer] })
  expect([...doubled]).toEqual([2, 4, 6])
  expect(numbers.length).toBe(0)
})

test('an error keeps its code and details; a fault becomes INTERNAL with its cause', async () => {
  const client = shared
  await expect(client.call('fail', undefined)).rejects.toMatchObject({
    code: 'OVERLOADED',
    details: { retryAfterMs: 5 },
  })
  await expect(client.call('crash', undefined)).rejects.toMatchObject({
    code: 'INTERNAL',
    cause: expect.objectContaining({ name: 'TypeError', message: 'a fault' }),
  })
  // @ts-expect-error the type knows no such method, and neither does the worker
  await expect(client.call('nosuch', undefined)).rejects.toMatchObject({ code: 'INTERNAL' })
})

/** What a log line would hold of each thing thrown. */
const TOLD: [string, string][] = [
  ['text', 'a thrown string: only words'],
  ['nothing', 'Error: undefined was thrown'],
  ['null', 'Error: null was thrown'],
  ['object', 'a thrown object: it has no message'],
  ['symbol', 'a thrown symbol: Symbol(sign)'],
  ['chain', 'TypeError: outer; caused by RangeError [ERR_SAMPLE]: middle; caused by Error: inner'],
  ['circular', 'Error: first; caused by Error: second'],
  ['many', 'AggregateError: several; caused by Error: one of them'],
  ['getter', 'Error: readable'],
  ['internal', 'ServiceError [INTERNAL]: known to be ours'],
]

test.each(TOLD)('the cause crosses threads whatever is thrown: %s', async (name, told) => {
  for (const failing of [shared.call('throwing', name), open({ throws: name }).ready()]) {
    const error: ServiceError = await failing.then(
      () => Promise.reject(new Error('it did not fail')),
      (error) => error,
    )
    expect(error.code).toBe('INTERNAL')
    expect(causeLine(error.cause)).toBe(told)
    expect(causeText(error.cause)).not.toContain('hush')
  }
})

test("the thrower's stack comes along", async () => {
  const error: ServiceError = await shared.call('throwing', 'chain').catch((error) => error)
  expect(causeText(error.cause)).toMatch(/sample-worker[\s\S]+Caused by: RangeError[\s\S]+sample-worker/)
})

test('what cannot be sent is an error, either way, and harms no later call', async () => {
  await expect(shared.call('throwing', 'unsendable')).rejects.toMatchObject({
    code: 'INTERNAL',
    cause: { cause: { name: 'DataCloneError' } },
  })
  await expect(shared.call('unsendable', undefined)).rejects.toMatchObject({
    code: 'INTERNAL',
    cause: { name: 'DataCloneError' },
  })
  // @ts-expect-error a function is no name, and cannot be sent either
  await expect(shared.call('throwing', () => 1)).rejects.toThrow('could not be cloned')
  expect([...(await shared.call('double', Float32Array.of(2)))]).toEqual([4])
})

test.each(['missing-module.ts', 'broken-module.ts'])('a worker whose %s does not load', async (file) => {
  const url = new URL(`./${file}`, import.meta.url)
  const client = new WorkerClient<SampleEngine>(spawnWorker(url, {}, import.meta.url), 'The sample worker')
  opened.push(client)
  const error: ServiceError = await client.ready().catch((error) => error)
  expect(error).toMatchObject({ code: 'INTERNAL', message: 'The sample worker could not start.' })
  expect(causeLine(error.cause)).toMatch(/missing-module|does not load/)
})

test('an abort reaches the method; an aborted call is never sent', async () => {
  const client = shared
  const abort = new AbortController()
  const call = client.call('untilAborted', undefined, { signal: abort.signal })
  abort.abort()
  await expect(call).rejects.toMatchObject({ code: 'ABORTED' })
  await expect(client.call('double', Float32Array.of(1), { signal: abort.signal })).rejects.toMatchObject({
    code: 'ABORTED',
  })
})

test('events arrive by name', async () => {
  const client = shared
  const news = new Promise((resolve) => client.on('news', resolve))
  await client.call('notify', undefined)
  expect(await news).toBe(42)
})

test('a death fails calls waiting and future, and is told once', async () => {
  const client = open()
  await client.ready()
  const deaths: unknown[] = []
  client.onDeath((error) => deaths.push(error))
  const hanging = expect(client.call('hang', undefined)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await expect(client.call('die', undefined)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await hanging
  await expect(client.call('double', Float32Array.of(1))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(deaths).toHaveLength(1)
})

test('a thread that is held up is silent, and heard of again when it goes on', async () => {
  const changes: (ServiceError | undefined)[] = []
  let changed = () => {}
  const nextChange = () => new Promise<void>((resolve) => (changed = resolve))
  const onChange = (silent: ServiceError | undefined) => {
    changes.push(silent)
    changed()
  }
  const worker = spawnWorker(new URL('./sample-worker.ts', import.meta.url), {}, import.meta.url)
  const client = new WorkerClient<SampleEngine>(worker, 'The sample worker', { msMax: 1000, onChange })
  opened.push(client)
  await client.ready()
  const until = new Int32Array(new SharedArrayBuffer(4))
  const silence = nextChange()
  const blocked = client.call('block', until)
  await silence
  expect(changes).toEqual([expect.objectContaining({ code: 'UNAVAILABLE' })])
  expect(changes[0]?.message).toContain('The sample worker has not answered for 1 s')

  const answer = nextChange()
  Atomics.store(until, 0, 1)
  Atomics.notify(until, 0)
  await Promise.all([answer, blocked])
  expect(changes).toEqual([expect.anything(), undefined])
})

test('close is no death, and calls after it are refused', async () => {
  const client = open()
  const deaths: unknown[] = []
  client.onDeath((error) => deaths.push(error))
  await Promise.all([client.close(), client.close()])
  await expect(client.call('double', Float32Array.of(1))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(deaths).toEqual([])
})
