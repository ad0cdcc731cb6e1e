import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Prompt } from '../../../src/encoder/encoder.ts'
import type { Card } from '../../../src/model/card.ts'
import { tinyModel } from '../../fixtures/tiny-model.ts'
import { NOTHING, type OpenModel, openModel, openPipeline, type Watch } from './pipeline-bench.ts'

/** Both prompts of a model whose prompts begin differently: a row each. */
const BOTH: Prompt[] = ['ebar', 'ebae']
let model: OpenModel

beforeAll(async () => {
  model = await openModel(await tinyModel('gqa-paper', { template: 'repllama', maxBodyTokens: 48 }))
})
afterAll(() => model.session.release())

const open = (watch?: Watch, card = model.card) => openPipeline({ ...model, card }, watch)

/** Tokens of a row with an empty body. */
function wrapper(prompt: Prompt): number {
  const { prefixIds, suffixIds } = model.card.prompts[prompt]
  return prefixIds.length + suffixIds.length
}

test('the vectors are those of two calls', async () => {
  const { pipeline, encode } = open()
  const texts = ['why', 'leaves turn red', '']
  const both = await encode(texts, 'bulk', {}, BOTH)
  const ebae = await encode(texts, 'bulk', {}, ['ebae'])
  const ebar = await encode(texts, 'bulk', {}, ['ebar'])
  expect(both.vectors).toEqual(Float32Array.of(...ebae.vectors, ...ebar.vectors))
  expect([...both.tokens]).toEqual([...ebae.tokens].map((tokens, i) => tokens + ebar.tokens[i]!))
  await pipeline.close()
})

test('a text waits until the last of its rows starts, its tokens row by row', async () => {
  const seen: ReturnType<typeof waiting>[] = []
  const { batches, pipeline, encode, waiting } = open({ beforeBatch: () => seen.push(waiting()) })
  await encode(['x', 'xx'], 'bulk', {}, BOTH)
  const lengths = batches.flat()
  expect(lengths).toHaveLength(4)
  expect(seen.map(({ tokens }) => tokens)).toEqual(
    lengths.map((_, i) => lengths.slice(i + 1).reduce((sum, length) => sum + length, 0)),
  )
  expect(seen.at(-1)).toEqual(NOTHING)
  expect(seen[0]).toMatchObject({ bulk: 2 })
  expect(waiting()).toEqual(NOTHING)
  await pipeline.close()
})

test('closing or aborting between the rows of a text ends its call', async () => {
  const abort = new AbortController()
  const ends: [Watch['beforeBatch'], string][] = [
    [() => void pipelines[0]!.pipeline.close(), 'UNAVAILABLE'],
    [() => abort.abort(), 'ABORTED'],
  ]
  const pipelines = ends.map(([beforeBatch]) => open({ beforeBatch: beforeBatch! }))
  for (const [i, { batches, pipeline, encode, waiting }] of pipelines.entries()) {
    const call = encode(['x'], 'bulk', { signal: abort.signal }, BOTH)
    await expect(call).rejects.toMatchObject({ code: ends[i]![1] })
    await pipeline.close()
    expect(batches).toHaveLength(1)
    expect(waiting()).toEqual(NOTHING)
  }
})

test('a row that fails takes the other row of its text along', async () => {
  const beforeBatch = (count: number) => {
    if (count === 1) throw new Error('a fault')
  }
  const { batches, pipeline, encode, waiting } = open({ beforeBatch })
  await expect(encode(['x'], 'bulk', {}, BOTH)).rejects.toMatchObject({ code: 'INTERNAL' })
  expect(waiting()).toEqual(NOTHING)
  await encode(['xx'], 'bulk', {}, BOTH)
  expect(batches).toHaveLength(3)
  await pipeline.close()
})

test('each prompt cuts at its own limit, and the tighter one decides what is too long', async () => {
  const card: Card = structuredClone(model.card)
  card.prompts.ebar.maxBodyTokens = 3
  card.prompts.ebae.maxBodyTokens = 5
  const { pipeline, encode } = open({}, card)
  const text = 'x'.repeat(200)
  const both = await encode([text, 'x'], 'bulk', {}, BOTH)
  expect(both.tokens[0]).toBe(wrapper('ebar') + 3 + wrapper('ebae') + 5)
  expect([...both.truncated]).toEqual([1, 0])
  await expect(encode(['x', text], 'bulk', { truncate: 'error' }, BOTH)).rejects.toMatchObject({
    code: 'TEXT_TOO_LONG',
    details: { index: 1, limit: 3 },
  })
  await pipeline.close()
})
