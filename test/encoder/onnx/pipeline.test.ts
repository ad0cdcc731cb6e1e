import { MessageChannel } from 'node:worker_threads'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Card } from '../../../src/model/card.ts'
import { tinyModel } from '../../fixtures/tiny-model.ts'
import { NOTHING, type OpenModel, openModel, openPipeline, type Watch } from './pipeline-bench.ts'

let model: OpenModel
let card: Card

beforeAll(async () => {
  model = await openModel(await tinyModel())
  card = model.card
})
afterAll(() => model.session.release())

const open = (watch?: Watch) => openPipeline(model, watch)

test('an interactive call whose message came during a bulk batch runs next', async () => {
  const { port1, port2 } = new MessageChannel()
  // As in the worker: what was posted while the batch held the thread is there, but not yet delivered.
  const afterBatch = (count: number) => {
    if (count === 3) port2.postMessage('a query')
  }
  const { batches, pipeline, encode } = open({ afterBatch })
  let query: Promise<unknown> | undefined
  port1.on('message', () => {
    query = encode(['xxxxxxxxxxxxxxxxxxxx'], 'interactive')
  })
  await encode(new Array(10).fill('x'))
  await query
  port1.close()
  const longest = Math.max(...batches.flat())
  expect(batches.map(([length]) => length === longest).indexOf(true)).toBe(3)
  await pipeline.close()
})

test('an aborted call’s remaining rows are never run, and leave the queue', async () => {
  const abort = new AbortController()
  const beforeBatch = (count: number) => {
    if (count === 3) abort.abort()
  }
  const { batches, pipeline, encode, waiting } = open({ beforeBatch })
  const aborted = encode(new Array(10).fill('x'), 'bulk', { signal: abort.signal })
  await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' })
  expect(waiting()).toEqual(NOTHING)
  await encode(['xx'])
  expect(batches).toHaveLength(4)
  await pipeline.close()
})

test('a call aborted before it came is not run', async () => {
  const { batches, pipeline, encode, waiting } = open()
  await expect(encode(['x'], 'bulk', { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ABORTED',
  })
  expect(waiting()).toEqual(NOTHING)
  expect(batches).toEqual([])
  await pipeline.close()
})

test('closing finishes the batch that runs and rejects what waits', async () => {
  let closed: Promise<void> | undefined
  const beforeBatch = () => {
    closed ??= pipeline.close()
  }
  const { batches, pipeline, encode, waiting } = open({ beforeBatch })
  const running = encode(['x'])
  const unfinished = encode(['xx', 'xxx'])
  await expect(unfinished).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect((await running).vectors).toHaveLength(card.dimensions)
  await closed
  expect(batches).toHaveLength(1)
  await expect(encode(['x'])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(waiting()).toEqual(NOTHING)
})

test('the account holds real tokens once a text is tokenised, and is empty in the end', async () => {
  const seen: ReturnType<typeof waiting>[] = []
  const { batches, pipeline, encode, waiting } = open({ beforeBatch: () => seen.push(waiting()) })
  await encode(['x', 'xx', 'xxx'])
  const lengths = batches.flat()
  expect(seen.map(({ bulk }) => bulk)).toEqual([2, 1, 0])
  expect(seen.map(({ tokens }) => tokens)).toEqual([lengths[1]! + lengths[2]!, lengths[2]!, 0])
  expect(waiting()).toEqual(NOTHING)
  await pipeline.close()
})

test('with truncate: error nothing of a call with a text too long is run or left in the queue', async () => {
  const { batches, pipeline, encode, waiting } = open()
  const long = 'x'.repeat(10 * card.prompts.ebae.maxBodyTokens)
  const refused = encode(['x', long, 'x'], 'bulk', { truncate: 'error' })
  await expect(refused).rejects.toMatchObject({ code: 'TEXT_TOO_LONG', details: { index: 1 } })
  expect(waiting()).toEqual(NOTHING)
  await encode(['xx'])
  expect(batches).toHaveLength(1)
  await pipeline.close()
})

test('a batch that fails fails its own calls alone', async () => {
  const beforeBatch = (count: number) => {
    if (count === 1) throw new Error('a fault')
  }
  const { pipeline, encode, waiting } = open({ beforeBatch })
  const [first, second] = [encode(['x', 'x']), encode(['xx'])]
  await expect(first).rejects.toMatchObject({ code: 'INTERNAL', cause: expect.any(Error) })
  expect((await second).vectors).toHaveLength(card.dimensions)
  expect(waiting()).toEqual(NOTHING)
  await pipeline.close()
})

test('calls for one prompt and for both get their own rows', async () => {
  const { pipeline, encode } = open()
  const [one, both, none] = await Promise.all([
    encode(['x'], 'bulk', {}, ['ebar']),
    encode(['x'], 'bulk', {}, ['ebae', 'ebar']),
    encode([], 'bulk', {}, ['ebae', 'ebar']),
  ])
  expect(both.vectors).toHaveLength(2 * card.dimensions)
  const second = both.vectors.subarray(card.dimensions)
  one.vectors.forEach((value, i) => {
    expect(value).toBeCloseTo(second[i]!, 4)
  })
  expect(none.vectors).toHaveLength(0)
  await pipeline.close()
})
