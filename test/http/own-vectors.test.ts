import { expect, test } from 'vitest'
import { scratchFolder } from '../index/scratch.ts'
import { openStored } from './stored-service.ts'

type Http = Awaited<ReturnType<typeof openStored>>['http']

const POINTS = [
  { id: 'east', text: 'where the sun rises', vector: [2, 0, 0] },
  { id: 'north', text: 'where the pole is', title: 'North', vector: [0, 1, 0], metadata: { cold: true } },
  { id: 'up', text: 'where the sky is', vector: [0, 0, 0.5] },
]

async function ownCollection(http: Http) {
  const { body } = await http()
    .put('/collections/points')
    .send({ vectors: { dimensions: 3 } })
    .expect(201)
  expect(body).toMatchObject({ vectors: 'own', dimensions: 3 })
  expect(body).not.toHaveProperty('fingerprint')
}

const idsOf = (body: { results: { id: string }[] }) => body.results.map(({ id }) => id)

test('a collection of own vectors is filled, searched by vector and by words, and read, also after a restart', async () => {
  const dataDir = await scratchFolder()
  const { http, close } = await openStored(dataDir)
  await ownCollection(http)
  const at = '/collections/points'
  const stored = await http().post(`${at}/documents`).send({ documents: POINTS }).expect(200)
  expect(stored.body).toMatchObject({ created: 3, tokens: 0, truncated: [] })
  await close()

  const again = (await openStored(dataDir)).http
  const search = (body: object) => again().post(`${at}/search`).send(body)
  const near = await search({ vector: [0.9, 0.8, 0], k: 2, include: ['vector'] }).expect(200)
  expect(near.body.results).toMatchObject([
    { id: 'east', vector: [1, 0, 0] },
    { id: 'north', vector: [0, 1, 0] },
  ])
  const cold = await search({ vector: [1, 0, 0], filter: { cold: true } }).expect(200)
  expect(idsOf(cold.body)).toEqual(['north'])
  expect(idsOf((await search({ like: 'up', k: 5 }).expect(200)).body)).toHaveLength(2)
  expect(idsOf((await search({ query: 'pole', mode: 'lexical' }).expect(200)).body)).toEqual(['north'])
  expect((await again().get(`${at}/documents/up?include=vector`).expect(200)).body.vector).toEqual([0, 0, 1])
})

test('texts without a vector are refused where the vectors are your own, with what to do', async () => {
  const { http } = await openStored(await scratchFolder())
  await ownCollection(http)
  const at = '/collections/points'
  await http().post(`${at}/documents`).send({ documents: POINTS }).expect(200)
  for (const body of [
    { query: 'pole', mode: 'dense' },
    { query: 'pole', mode: 'hybrid' },
  ]) {
    const { body: problem } = await http().post(`${at}/search`).send(body).expect(422)
    expect(problem).toMatchObject({ code: 'INVALID_INPUT', detail: expect.stringContaining('mode lexical') })
  }
  const bare = { documents: [POINTS[0], { id: 'bare', text: 'a text alone' }] }
  await http().post(`${at}/documents`).send(bare).expect(422)
  const lines = [
    { id: 'bare', text: 'a text alone' },
    { ...POINTS[0], id: 'west', vector: [-1, 0, 0] },
  ]
  const stream = lines.map((line) => JSON.stringify(line)).join('\n')
  const { body } = await http().post(`${at}/documents`).type('application/x-ndjson').send(stream).expect(200)
  expect(body).toMatchObject({ created: 1, failed: 1, errors: [{ line: 1, code: 'INVALID_INPUT' }] })
  const wishes = { vectors: { dimensions: 3 }, chunking: { kind: 'passages', tokens: 64 } }
  await http().put('/collections/cut').send(wishes).expect(422)
})

test.each([
  [[1, 0], 'documents[0].vector has 2 numbers; those here have 3.'],
  [[0, 0, 0], 'documents[0].vector must be finite and not zero.'],
])('the vector %j is refused', async (vector, detail) => {
  const { http } = await openStored(await scratchFolder())
  await ownCollection(http)
  const documents = [{ id: 'a', text: 'a', vector }]
  const { body } = await http().post('/collections/points/documents').send({ documents }).expect(422)
  expect(body).toMatchObject({ code: 'INVALID_INPUT', detail, details: { field: 'documents[0].vector' } })
})

test('a vector may come with a document of the model, too: it is stored, and nothing is embedded', async () => {
  const { http } = await openStored(await scratchFolder())
  const { body: embedded } = await http()
    .post('/embed')
    .send({ texts: ['the sea is blue'], prompt: 'ebae' })
    .expect(200)
  const [vector] = embedded.embeddings
  const long = 'word '.repeat(200)
  await http()
    .put('/collections/cut')
    .send({ chunking: { kind: 'passages', tokens: 16 } })
    .expect(201)
  const documents = [
    { id: 'given', text: long, vector: vector.map((value: number) => value * 3) },
    { id: 'made', text: long },
  ]
  const { body } = await http().post('/collections/cut/documents').send({ documents }).expect(200)
  expect(body.ids).toEqual(['given', 'made'])
  const list = (await http().get('/collections/cut/documents?include=vector').expect(200)).body.documents
  expect(list[0].vector).toEqual(vector.map((value: number) => expect.closeTo(value, 5)))
  expect(list[1].vectors.length).toBeGreaterThan(1)
  const found = await http()
    .post('/collections/cut/search')
    .send({ query: 'the sea is blue', task: 'similarity', k: 1 })
  expect(found.body.results[0]).toMatchObject({ id: 'given', score: expect.closeTo(1, 4) })
})
