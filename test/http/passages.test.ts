import { afterAll, beforeAll, expect, test } from 'vitest'
import { openService, type Service } from './service.ts'

const LONG = Array.from({ length: 12 }, (_, i) => `The keeper wrote down day ${i}.`).join(' ')
const CHUNKING = { kind: 'passages', tokens: 32, overlap: 0, title: true }

let service: Service
beforeAll(async () => {
  service = await openService({ chunking: 'passages', chunkTokens: 32 })
})
afterAll(() => service.close())

test('a long document is stored as passages, and /info says how they are cut', async () => {
  const documents = [{ id: 'log', title: 'Log', text: LONG }]
  const stored = await service.http().post('/documents').send({ documents }).expect(200)
  expect(stored.body).toMatchObject({ created: 1, truncated: [] })
  expect(stored.body.passages).toBeGreaterThan(3)
  const lines = await service
    .http()
    .post('/documents')
    .type('application/x-ndjson')
    .send(`${JSON.stringify(documents[0])}\n`)
    .expect(200)
  expect(lines.body).toMatchObject({ updated: 1, passages: stored.body.passages })
  const info = await service.http().get('/info').expect(200)
  expect(info.body.chunking).toEqual(CHUNKING)
  expect(info.body.store.documents).toBe(1)
})

test('a hit shows the passage that it was found by, and the best ones when asked', async () => {
  const text = `😀 ${LONG}`
  await service
    .http()
    .post('/documents')
    .send({
      documents: [
        { id: 'astral', text },
        { id: 'short', text: 'Short.' },
      ],
    })
  const search = async (body: object) => {
    const found = await service
      .http()
      .post('/search')
      .send({ query: 'The keeper', ...body })
      .expect(200)
    return found.body.results as Record<string, unknown>[]
  }
  const filter = {}
  const results = await search({ mode: 'dense', k: 10, passages: 3, filter, exact: true })
  expect(new Set(results.map(({ id }) => id)).size).toBe(results.length)
  const hit = results.find(({ id }) => id === 'astral') as unknown as {
    score: number
    passage: { start: number; end: number; start_utf16: number; end_utf16: number; text: string }
    passages: { score: number; text: string; start: number; end: number }[]
  }
  const { passage, passages } = hit
  expect(text.slice(passage.start_utf16, passage.end_utf16)).toBe(passage.text)
  expect([...text].slice(passage.start, passage.end).join('')).toBe(passage.text)
  expect(passages).toHaveLength(3)
  expect(passages[0]!.text).toBe(passage.text)
  expect(passages[0]!.score).toBeCloseTo(hit.score, 5)
  expect(passages.map(({ score }) => score)).toEqual(passages.map(({ score }) => score).sort((a, b) => b - a))
  for (const each of passages) expect([...text].slice(each.start, each.end).join('')).toBe(each.text)
  const short = results.find(({ id }) => id === 'short')
  expect(short).toMatchObject({ passage: { start: 0, end: 6, text: 'Short.' } })

  expect(Object.keys((await search({ mode: 'dense', include: ['passage'] }))[0]!).sort()).toEqual([
    'id',
    'passage',
    'score',
  ])
  expect((await search({ include: ['title'] }))[0]).not.toHaveProperty('passage')
  const hybrid = await search({ mode: 'hybrid', passages: 1 })
  expect(hybrid[0]).toMatchObject({ passage: { text: expect.any(String) }, passages: [{}] })
  const lexical = { query: 'keeper', mode: 'lexical', passages: 1 }
  const { body } = await service.http().post('/search').send(lexical).expect(422)
  expect(body.details.field).toBe('passages')
})

test('where documents are not cut, a passage is shown when it is asked for', async () => {
  await service
    .http()
    .put('/collections/uncut')
    .send({ chunking: { kind: 'whole' } })
  const at = '/collections/uncut'
  await service
    .http()
    .post(`${at}/documents`)
    .send({ documents: [{ id: 'a', text: 'All of it.' }] })
  const first = async (body: object) =>
    (
      await service
        .http()
        .post(`${at}/search`)
        .send({ query: 'it', ...body })
    ).body.results[0]
  expect(await first({})).not.toHaveProperty('passage')
  expect(await first({ include: ['passage'] })).toMatchObject({ passage: { text: 'All of it.' } })
})

test('a collection has a chunking of its own', async () => {
  const make = (name: string, chunking?: object) =>
    service
      .http()
      .put(`/collections/${name}`)
      .send(chunking ? { chunking } : {})
  expect((await make('like-default').expect(201)).body.chunking).toEqual(CHUNKING)
  expect((await make('whole', { kind: 'whole' }).expect(201)).body.chunking).toEqual({ kind: 'whole' })
  const finer = { kind: 'passages', tokens: 24, overlap: 12, title: false }
  expect((await make('finer', finer).expect(201)).body.chunking).toEqual(finer)
  const all = await make('all', { kind: 'passages' }).expect(201)
  expect(all.body.chunking.tokens).toBe(service.encoder.card.bodyTokens.ebae)
})

test.each([
  [{ kind: 'whole', tokens: 20 }, /leave them out with whole/],
  [{ kind: 'passages', tokens: 15 }, /tokens must be from 16 to/],
  [{ kind: 'passages', tokens: 100_000 }, /which is what the model reads/],
  [{ kind: 'passages', tokens: 20, overlap: 11 }, /at most half of tokens, 10/],
])('chunking %j is refused', async (chunking, message) => {
  const { body } = await service.http().put('/collections/bad').send({ chunking }).expect(422)
  expect(body).toMatchObject({ code: 'INVALID_INPUT', details: { field: 'chunking' } })
  expect(body.detail).toMatch(message)
})

test('own vectors are one for each document', async () => {
  const body = { vectors: { dimensions: 4 }, chunking: CHUNKING }
  await service.http().put('/collections/own').send(body).expect(422)
  const made = await service
    .http()
    .put('/collections/own')
    .send({ vectors: { dimensions: 4 } })
  expect(made.body.chunking).toEqual({ kind: 'whole' })
})
