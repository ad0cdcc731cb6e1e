import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openService, type Service } from './service.ts'

let service: Service
beforeAll(async () => {
  const bundled = fileURLToPath(new URL('../../models/llara-mini', import.meta.url))
  service = await openService({ ingestBatchDocuments: 4, interactiveTextsMax: 3 }, Promise.resolve(bundled))
})
afterAll(() => service.close())

const EMOJI = '🦜 🦚 🦩 🦢'
const CUNEIFORM = '𒀭 𒂗 𒍪 𒆠'
const PLAIN = 'The sky is blue.'
const MIXED = 'Parrots 🦜 and peacocks 🦚 are birds.'
const HALF = 'sky 🦜 blue 🦚'
const TEXTS = [PLAIN, EMOJI, MIXED, HALF, CUNEIFORM]

const post = (path: string, body: object) => service.http().post(path).send(body).expect(200)
const warning = (place: object) => ({
  ...place,
  code: 'MOSTLY_UNKNOWN',
  message: expect.stringContaining('unknown'),
})

test.each(['ebar', 'ebae', 'both'])('/embed names the texts that are mostly unknown: %s', async (prompt) => {
  const { body } = await post('/embed', { texts: TEXTS, prompt })
  expect(body.warnings).toEqual([warning({ index: 1 }), warning({ index: 4 })])
  const few = await post('/embed', { texts: [PLAIN, EMOJI], prompt })
  expect(few.body.warnings).toEqual([warning({ index: 1 })])
  const none = await post('/embed', { texts: [PLAIN, MIXED, HALF], prompt })
  expect(none.body).not.toHaveProperty('warnings')
})

test('only what the model reads counts', async () => {
  const words = 'word '.repeat(1000)
  const birds = '🦜 '.repeat(1000)
  const texts = [words + birds + birds, birds + words + words]
  const { body } = await post('/embed', { texts, prompt: 'ebae' })
  expect(body).toMatchObject({ truncated: [0, 1], warnings: [warning({ index: 1 })] })
  const alone = await post('/embed', { texts: [words], prompt: 'ebae' })
  expect(body.usage.tokens).toBe(2 * alone.body.usage.tokens)
})

test('/v1/embeddings says it beside what OpenAI’s API has', async () => {
  const { body } = await post('/v1/embeddings', { model: 'llara-mini:document', input: [PLAIN, EMOJI] })
  expect(body).toMatchObject({ object: 'list', warnings: [warning({ index: 1 })] })
  expect(body.data).toHaveLength(2)
  const { body: plain } = await post('/v1/embeddings', { model: 'llara-mini:query', input: PLAIN })
  expect(plain).not.toHaveProperty('warnings')
})

test('/search says it of query and queries', async () => {
  const one = await post('/search', { query: EMOJI })
  expect(one.body.warnings).toEqual([warning({ index: 0 })])
  const many = await post('/search', { queries: [PLAIN, CUNEIFORM, MIXED], task: 'similarity' })
  expect(many.body.warnings).toEqual([warning({ index: 1 })])
  for (const body of [{ query: PLAIN }, { vector: new Array(service.encoder.card.dimensions).fill(1) }]) {
    expect((await post('/search', body)).body).not.toHaveProperty('warnings')
  }
})

test('/documents says it by index and id', async () => {
  const documents = TEXTS.map((text, i) => ({ id: `d-${i}`, text }))
  const { body } = await post('/documents', { documents })
  expect(body).toMatchObject({ created: 5, warnings_total: 2 })
  expect(body.warnings).toEqual([warning({ index: 1, id: 'd-1' }), warning({ index: 4, id: 'd-4' })])
  const plain = await post('/documents', { documents: [{ text: PLAIN }] })
  expect(plain.body).not.toHaveProperty('warnings')
  expect(plain.body).not.toHaveProperty('warnings_total')
})

const stream = (lines: readonly string[]) =>
  service.http().post('/documents').type('application/x-ndjson').send(lines.join('\n')).expect(200)

test('a stream says it by line, for the first thousand', async () => {
  const line = (id: string, text: string) => JSON.stringify({ id, text })
  const { body } = await stream([line('a', PLAIN), 'no JSON', line('b', EMOJI), '', line('c', CUNEIFORM)])
  expect(body.warnings).toEqual([warning({ line: 3, id: 'b' }), warning({ line: 5, id: 'c' })])
  expect(body.warnings_total).toBe(2)
  const many = await stream(Array.from({ length: 1001 }, (_, i) => line(`m-${i}`, '🦜')))
  expect(many.body.warnings).toHaveLength(1000)
  expect(many.body).toMatchObject({ created: 1001, warnings_total: 1001 })
  const plain = await stream([line('a', PLAIN)])
  expect(plain.body).not.toHaveProperty('warnings')
})

test('they are counted', async () => {
  const { text } = await service.http().get('/metrics').expect(200)
  expect(text).toMatch(/llara_mostly_unknown_texts_total\{prompt="ebae"\} [1-9]/)
})
