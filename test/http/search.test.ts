import { afterAll, beforeAll, expect, test } from 'vitest'
import { COLOURS, openService, type Service } from './service.ts'

let service: Service
beforeAll(async () => {
  service = await openService({ kMax: 50, queriesPerRequestMax: 3 })
  // By vectors alone; test/http/hybrid/ has the other modes.
  await service.http().patch('/collections/default').send({ mode: 'dense' }).expect(200)
  await service.http().post('/documents').send({ documents: COLOURS }).expect(200)
})
afterAll(() => service.close())

const search = (body: object) => service.http().post('/search').send(body)
const ids = (results: { id: string }[]) => results.map(({ id }) => id)

test('a query finds documents with every field, score and phase', async () => {
  const { body, headers } = await search({ query: 'what colour is the sky', k: 2 }).expect(200)
  expect(Object.keys(body).sort()).toEqual(['mode', 'path', 'results', 'timings_ms'])
  expect(body.mode).toBe('dense')
  expect(body.results).toHaveLength(2)
  expect(Object.keys(body.results[0]).sort()).toEqual(['id', 'metadata', 'score', 'text', 'title'])
  expect(COLOURS).toContainEqual({ ...body.results[0], score: undefined })
  expect(body.results[0].score).toBeGreaterThanOrEqual(body.results[1].score)
  expect(body.path).toBe('exact')
  expect(Object.keys(body.timings_ms).sort()).toEqual([
    'dense',
    'inference',
    'queue',
    'search',
    'tokenize',
    'total',
  ])
  expect(body.timings_ms.total).toBeGreaterThan(0)
  expect(headers['server-timing']).toMatch(/^tokenize;dur=[\d.]+, queue;dur=/)
})

test('queries answer in order, each as it would alone', async () => {
  const queries = ['blue sky', 'green grass', 'deep water']
  const { body } = await search({ queries }).expect(200)
  expect(body.results).toBeUndefined()
  expect(body.paths).toEqual(['exact', 'exact', 'exact'])
  for (const [index, query] of queries.entries()) {
    const alone = await search({ query })
    expect(ids(body.batches[index])).toEqual(ids(alone.body.results))
  }
})

test('retrieval and similarity embed a text with different prompts', async () => {
  const text = 'the sky is blue'
  const retrieval = await search({ query: text, k: 3 })
  const similarity = await search({ query: text, k: 3, task: 'similarity' })
  expect(retrieval.body.results[0].score).not.toBe(similarity.body.results[0].score)
  const { body } = await service
    .http()
    .post('/embed')
    .send({ texts: [text], prompt: 'ebae' })
    .expect(200)
  const byVector = await search({ vector: body.embeddings[0] }).expect(200)
  expect(byVector.body.results[0].score).toBeCloseTo(similarity.body.results[0].score, 6)
  expect(byVector.body.timings_ms.inference).toBe(0)
})

test('a query over the model limit is cut, and told', async () => {
  const { body } = await search({ queries: ['blue', 'word '.repeat(1500)] }).expect(200)
  expect(body.truncated).toEqual([1])
})

test('like finds neighbours of a document and leaves it out', async () => {
  const { body } = await search({ like: 'sky', k: 3 }).expect(200)
  expect(ids(body.results).sort()).toEqual(['grass', 'sea'])
  const missing = await search({ like: 'nobody' }).expect(404)
  expect(missing.body.code).toBe('NOT_FOUND')
})

test('a vector is brought to unit length', async () => {
  const vector = Array.from({ length: 32 }, (_, i) => (i - 7) * 1e150)
  const scaled = vector.map((x) => x / 1e150)
  const [large, small] = [await search({ vector }), await search({ vector: scaled })]
  expect(large.body.results).toEqual(small.body.results)
})

test('filter, min_score, include and exact', async () => {
  const recent = await search({ query: 'blue', filter: { year: { $gte: 2020 } } }).expect(200)
  expect(ids(recent.body.results).sort()).toEqual(['sea', 'sky'])
  const none = await search({ query: 'blue', min_score: 1 }).expect(200)
  expect(none.body.results).toEqual([])
  const bare = await search({ query: 'blue', include: [] }).expect(200)
  expect(Object.keys(bare.body.results[0])).toEqual(['id', 'score'])
  const titles = await search({ query: 'blue', include: ['title'], exact: true, ef: 10 }).expect(200)
  expect(Object.keys(titles.body.results[0]).sort()).toEqual(['id', 'score', 'title'])
})

test.each([
  [{}, 'exactly one'],
  [{ query: 'a', like: 'sky' }, 'exactly one'],
  [{ query: 'a', queries: ['b'] }, 'exactly one'],
  [{ query: ' ' }, 'query is empty'],
  [{ query: '\ud800' }, 'Unicode'],
  [{ queries: [] }, 'queries'],
  [{ query: 'a', k: 0 }, 'k must be >= 1'],
  [{ query: 'a', k: 51 }, 'k must be <= 50'],
  [{ query: 'a', k: '5' }, 'k must be integer'],
  [{ query: 'a', colour: 'blue' }, 'unknown fields: colour'],
  [{ query: 'a', task: 'guess' }, 'one of retrieval, similarity'],
  [{ like: 'sky', task: 'similarity' }, 'task'],
  [{ query: 'a', min_score: 2 }, 'from -1 to 1'],
  [{ query: 'a', mode: 'sparse' }, 'one of dense, lexical, hybrid'],
  [{ like: 'sky', mode: 'hybrid' }, 'compared by vectors'],
  [{ query: 'a', fusion: { method: 'rrf' } }, 'applies to mode hybrid'],
  [{ query: 'a', fusion: { method: 'rrf', weight: 1 } }, 'rrf has no weight'],
  [{ query: 'a', fusion: { method: 'weighted', k: 1 } }, 'weighted has no k'],
  [{ query: 'a', fusion: { method: 'borda' } }, 'one of zscore, weighted, rrf'],
  [{ query: 'a', filter: { year: { $near: 1 } } }, '$near'],
  [{ vector: [1, 2] }, 'those here have 32'],
  [{ vector: Array(32).fill(0) }, 'not zero'],
])('%j is refused with what to mend', async (body, hint) => {
  const answer = await search(body).expect(422)
  expect(answer.body.code).toBe('INVALID_INPUT')
  expect(answer.body.detail).toContain(hint)
})

test('more queries than allowed are too large', async () => {
  const { body } = await search({ queries: ['a', 'b', 'c', 'd'] }).expect(413)
  expect(body).toMatchObject({ code: 'TOO_LARGE', details: { field: 'queries', limit: 3 } })
})
