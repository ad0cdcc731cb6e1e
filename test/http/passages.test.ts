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
