import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openOnnxReranker } from '../../../src/reranker/onnx/onnx-reranker.ts'
import type { Reranker } from '../../../src/reranker/reranker.ts'
import { search } from '../../../src/retrieval/search/search.ts'
import { tinyReranker } from '../../fixtures/tiny-reranker.ts'
import { LIBRARY, openLibrary } from '../hybrid/library.ts'

const QUERY = 'error E1042 of the oven and the water'
let library: Awaited<ReturnType<typeof openLibrary>>
/** The same model, asked directly. */
let reference: Reranker
beforeAll(async () => {
  const reranker = await tinyReranker()
  library = await openLibrary(LIBRARY, { reranker, rerankTopN: 3, rerankTopNMax: 20 })
  reference = await openOnnxReranker({ modelFolder: reranker, device: 'cpu' })
})
afterAll(async () => {
  await library.close()
  await reference.close()
})

const ids = (results: { id: string }[]) => results.map(({ id }) => id)

/** The ids in the order of the model's scores of "title text". */
async function byScore(found: string[], query = QUERY): Promise<{ id: string; score: number }[]> {
  const texts = found.map((id) => {
    const { title, text } = LIBRARY.find((document) => document.id === id)!
    return `${title} ${text}`
  })
  const { scores } = await reference.score(query, texts)
  return found.map((id, i) => ({ id, score: scores[i]! })).sort((a, b) => b.score - a.score)
}

describe.each(['dense', 'lexical', 'hybrid'])('mode %s', (mode) => {
  test('the first hits come in the order of the reranker, the others behind them as they were', async () => {
    const plain = await library.search({ query: QUERY, mode, k: 9 })
    expect(plain).not.toHaveProperty('rerank')
    const reply = await library.search({ query: QUERY, mode, k: 9, rerank: { top_n: 4 } })
    const first = await byScore(ids(plain.results.slice(0, 4)))
    const expected = plain.results.map((hit, i) => {
      const one = first[i]
      if (!one) return hit
      const formerRank = ids(plain.results).indexOf(one.id) + 1
      const rerank = { score: expect.closeTo(one.score, 4), former_rank: formerRank }
      return { ...plain.results[formerRank - 1], rerank }
    })
    expect(reply.results).toEqual(expected)
    expect(reply.rerank).toEqual({ model: 'tiny-reranker', applied: true })
    expect(reply.timings_ms['rerank']).toBeGreaterThan(0)
  })
})

test('without a number the default of the service is reranked', async () => {
  const { results } = await library.search({ query: QUERY, mode: 'dense', k: 9, rerank: {} })
  expect(results.map(({ rerank }) => rerank !== undefined)).toEqual([
    ...new Array(3).fill(true),
    ...new Array(6).fill(false),
  ])
})

test('more hits than are wanted are reranked, and what is not asked for is not in the answer', async () => {
  const plain = await library.search({ query: QUERY, mode: 'dense', k: 9 })
  const best = await byScore(ids(plain.results))
  const { results } = await library.search({
    query: QUERY,
    mode: 'dense',
    k: 1,
    rerank: { top_n: 20 },
    include: ['title'],
  })
  expect(ids(results)).toEqual([best[0]!.id])
  expect(Object.keys(results[0]!).sort()).toEqual(['id', 'rerank', 'score', 'title'])
})

test('queries are reranked each by itself', async () => {
  const queries = ['water and waves', 'E1042', 'what is in bread']
  const { batches, rerank } = await library.search({ queries, mode: 'hybrid', k: 3, rerank: { top_n: 5 } })
  expect(rerank).toEqual({ model: 'tiny-reranker', applied: true })
  for (const [i, query] of queries.entries()) {
    const alone = await library.search({ query, mode: 'hybrid', k: 3, rerank: { top_n: 5 } })
    expect(ids(batches[i]!)).toEqual(ids(alone.results))
  }
})

test('filter and min_score belong to the search, not to the reranker', async () => {
  const { results } = await library.search({
    query: QUERY,
    mode: 'dense',
    k: 9,
    filter: { topic: 'car' },
    rerank: { top_n: 9 },
  })
  expect(ids(results).sort()).toEqual(['alarm', 'oil', 'tyres'])
  const [, second] = (await library.search({ query: QUERY, mode: 'dense', k: 9 })).results
  const above = await library.search({
    query: QUERY,
    mode: 'dense',
    min_score: second!.score,
    rerank: { top_n: 9 },
  })
  expect(above.results).toHaveLength(2)
})

test.each([
  [{ like: 'tides', rerank: {} }, 422, 'no words to rerank by'],
  [{ query: 'a', rerank: { top_n: 21 } }, 422, 'rerank.top_n must be <= 20'],
  [{ query: 'a', rerank: { model: 'other' } }, 404, 'is tiny-reranker'],
  [{ query: 'a', rerank: { depth: 3 } }, 422, 'unknown fields: depth'],
])('%j is refused', async (body, status, words) => {
  const answer = await library.http().post('/search').send(body).expect(status)
  expect(answer.body.detail).toContain(words)
})

test('a request that has no time left for it keeps its order', async () => {
  const ask = (until: number) =>
    search(library.retrieval, {
      target: { kind: 'texts', texts: [QUERY], task: 'retrieval', field: 'query' },
      k: 9,
      rerank: { topN: 9, until },
      options: {},
    })
  const late = await ask(performance.now() - 1)
  expect(late.rerank).toMatchObject({ reason: 'deadline', unranked: [0] })
  const inTime = await ask(performance.now() + 60_000)
  expect(inTime.rerank).toMatchObject({ unranked: [] })
  expect(ids(late.batches[0]!.hits).sort()).toEqual(ids(inTime.batches[0]!.hits).sort())
  expect(late.batches[0]!.hits.some(({ rerank }) => rerank)).toBe(false)
})
