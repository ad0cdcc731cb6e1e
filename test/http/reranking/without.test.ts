import type { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { tinyReranker } from '../../fixtures/tiny-reranker.ts'
import { LIBRARY, openLibrary } from '../hybrid/library.ts'

let library: Awaited<ReturnType<typeof openLibrary>>
afterEach(() => library.close())

const ids = (results: { id: string }[]) => results.map(({ id }) => id)
const SEARCH = { query: 'water', mode: 'dense', k: 9 }

test('a search does not wait for a slow reranker: its hits keep their order, and it says so', async () => {
  const long = LIBRARY.map((document) => ({ ...document, text: `${document.text} `.repeat(50) }))
  library = await openLibrary(long, { reranker: await tinyReranker(), rerankMsMax: 1 })
  const plain = await library.search(SEARCH)
  const reply = await library.search({ ...SEARCH, rerank: {} })
  expect(reply.rerank).toEqual({ model: 'tiny-reranker', applied: false, reason: 'deadline' })
  expect(reply.results).toEqual(plain.results)
  const many = await library.search({ queries: ['water', 'bread'], mode: 'dense', rerank: {} })
  expect(many.rerank).toMatchObject({ applied: false, reason: 'deadline', unranked: [0, 1] })
  const { text } = await library.http().get('/metrics')
  expect(text).toMatch(/^llara_search_reranks_total\{outcome="deadline"\} 2$/m)
})

test('a full queue is no error of a search, but of a reranking request', async () => {
  library = await openLibrary(LIBRARY, { reranker: await tinyReranker(), rerankQueueTextsMax: 4 })
  const documents = ['one', 'two', 'three', 'four']
  let over = false
  const flood = async () => {
    while (!over) {
      const { status } = await library.http().post('/rerank').send({ query: 'water', documents })
      expect([200, 429]).toContain(status)
    }
  }
  const flooding = Array.from({ length: 8 }, flood)
  const plain = await library.search(SEARCH)
  await expect
    .poll(
      async () => {
        const { results, rerank } = await library.search({ ...SEARCH, rerank: { top_n: 2 } })
        expect(ids(results).sort()).toEqual(ids(plain.results).sort())
        if (!rerank!.applied) expect(results).toEqual(plain.results)
        return rerank!.reason
      },
      { interval: 1, timeout: 20_000 },
    )
    .toBe('overloaded')
  over = true
  await Promise.all(flooding)
})

test('when the reranker dies the service goes on without it', async () => {
  const workers: Worker[] = []
  const remember = (worker: Worker) => workers.push(worker)
  process.on('worker', remember)
  library = await openLibrary(LIBRARY, { reranker: await tinyReranker() })
  process.off('worker', remember)
  const plain = await library.search(SEARCH)
  await library.http().get('/readyz').expect(200, { status: 'ok' })
  await workers.at(-1)!.terminate()
  await library
    .http()
    .get('/readyz')
    .expect(200, { status: 'ok', missing: ['reranker'] })
  const { rerank, results } = await library.search({ ...SEARCH, rerank: {} })
  expect(rerank).toEqual({ model: 'tiny-reranker', applied: false, reason: 'unavailable' })
  expect(results).toEqual(plain.results)
  const { body } = await library
    .http()
    .post('/rerank')
    .send({ query: 'a', documents: ['b'] })
    .expect(503)
  expect(body).toMatchObject({
    code: 'UNAVAILABLE',
    detail: expect.stringContaining('The reranker has stopped'),
  })
  const { text } = await library.http().get('/metrics').expect(200)
  expect(text).toMatch(/^llara_reranker_up 0$/m)
})
