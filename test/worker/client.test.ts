import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
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
    cause: expect.stringContaining('a fault'),
  })
  // @ts-expect-error the type knows no such method, and neither does the worker
  await expect(client.call('nosuch', undefined)).rejects.toMatchObject({ code: 'INTERNAL' })
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

test('close is no death, and calls after it are refused', async () => {
  const client = open()
  const deaths: unknown[] = []
  client.onDeath((error) => deaths.push(error))
  await Promise.all([client.close(), client.close()])
  await expect(client.call('double', Float32Array.of(1))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(deaths).toEqual([])
})
