import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LIBRARY, openLibrary, type SearchReply } from './library.ts'

let library: Awaited<ReturnType<typeof openLibrary>>
beforeAll(async () => {
  library = await openLibrary()
})
afterAll(() => library.close())

const search = (body: object) => library.search(body)
const ids = ({ results }: SearchReply) => results.map(({ id }) => id)
const refused = async (body: object) => (await library.http().post('/search').send(body).expect(422)).body

/** Two documents have the word and neither is about it; three are about the sea and few of their words are there. */
const QUERY = 'E1042 high and low water at the coast'

test('words are found by words, meaning by vectors, and hybrid has both first', async () => {
  const lexical = await search({ query: 'E1042', mode: 'lexical' })
  expect(lexical.mode).toBe('lexical')
  expect(ids(lexical).sort()).toEqual(['alarm', 'oven'])
  const dense = await search({ query: 'why does the ocean go up and down?', mode: 'dense', k: 1 })
  expect(ids(dense)).toEqual(['tides'])
  const hybrid = await search({ query: QUERY, mode: 'hybrid', k: 4 })
  expect(hybrid.mode).toBe('hybrid')
  expect(ids(hybrid)).toEqual(expect.arrayContaining(['tides', 'alarm']))
})

test('a fused hit says where each leg put it, which is where that leg alone puts it', async () => {
  const all = LIBRARY.length
  const dense = await search({ query: QUERY, mode: 'dense', k: all })
  const lexical = await search({ query: QUERY, mode: 'lexical', k: all })
  const hybrid = await search({ query: QUERY, mode: 'hybrid', k: all })
  expect(lexical.results.length).toBeLessThan(all)
  expect(hybrid.results).toHaveLength(all)
  for (const { id, legs } of hybrid.results) {
    expect(legs?.dense?.rank).toBe(ids(dense).indexOf(id) + 1)
    expect(legs?.dense?.score).toBe(dense.results.find((hit) => hit.id === id)?.score)
    const found = ids(lexical).indexOf(id)
    if (found < 0) expect(legs).not.toHaveProperty('lexical')
    else expect(legs?.lexical).toEqual({ rank: found + 1, score: lexical.results[found]!.score })
  }
  expect(dense.results[0]).not.toHaveProperty('legs')
})

test('reciprocal ranks, with the k that is asked for', async () => {
  for (const k of [60, 5]) {
    const fusion = { method: 'rrf', ...(k !== 60 && { k }) }
    const { results } = await search({ query: QUERY, mode: 'hybrid', fusion })
    for (const { score, legs = {} } of results) {
      const sum = Object.values(legs).reduce((total, { rank }) => total + 1 / (k + rank), 0)
      expect(score).toBeCloseTo(sum, 12)
    }
    expect(results.map(({ score }) => score)).toEqual(results.map(({ score }) => score).sort((a, b) => b - a))
  }
})

test.each(['weighted', 'zscore'])(
  '%s: the whole weight on one leg is the order of that leg',
  async (method) => {
    const fused = (weight: number) => ({ query: QUERY, mode: 'hybrid', fusion: { method, weight } })
    const dense = await search({ query: QUERY, mode: 'dense' })
    expect(ids(await search(fused(1)))).toEqual(ids(dense))
    const lexical = ids(await search({ query: QUERY, mode: 'lexical' }))
    expect(ids(await search(fused(0))).slice(0, lexical.length)).toEqual(lexical)
  },
)

test('a filter holds for both legs, and k come back when k match', async () => {
  const filter = { topic: 'kitchen' }
  const lexical = await search({ query: QUERY, mode: 'lexical', filter })
  expect(ids(lexical)[0]).toBe('oven')
  expect(ids(lexical)).not.toContain('alarm')
  const hybrid = await search({ query: QUERY, mode: 'hybrid', filter, k: 3 })
  expect(ids(hybrid).sort()).toEqual(['bread', 'oven', 'soup'])
})

test('what is included is that of the document', async () => {
  const { results } = await search({ query: 'E1042', mode: 'hybrid', k: 1, include: ['text'] })
  const [hit] = results
  expect(Object.keys(hit!).sort()).toEqual(['id', 'legs', 'score', 'text'])
  expect(hit!.text).toBe(LIBRARY.find(({ id }) => id === hit!.id)?.text)
  const bare = await search({ query: 'E1042', mode: 'hybrid', k: 1, include: [] })
  expect(Object.keys(bare.results[0]!).sort()).toEqual(['id', 'legs', 'score'])
})

test('each query of several is answered as it would be alone', async () => {
  const queries = [QUERY, 'sour dough', '?!']
  for (const mode of ['lexical', 'hybrid']) {
    const { batches } = await search({ queries, mode })
    for (const [i, query] of queries.entries()) {
      const alone = await search({ query, mode })
      expect(batches[i]!.map(({ id }) => id)).toEqual(ids(alone))
    }
  }
})

test('a query without a word has no lexical results, and hybrid the dense ones', async () => {
  expect((await search({ query: '?!', mode: 'lexical' })).results).toEqual([])
  const dense = await search({ query: '?!', mode: 'dense' })
  const hybrid = await search({ query: '?!', mode: 'hybrid' })
  expect(ids(hybrid)).toEqual(ids(dense))
  expect((await refused({ query: '  ', mode: 'lexical' })).detail).toContain('query is empty')
})

describe('min_score is by the measure of the mode', () => {
  test('a cosine with dense, a BM25 score with lexical', async () => {
    for (const mode of ['dense', 'lexical']) {
      const { results } = await search({ query: QUERY, mode })
      const least = results[1]!.score
      const few = await search({ query: QUERY, mode, min_score: least })
      expect(few.results).toEqual(results.filter(({ score }) => score >= least))
    }
  })

  test.each([
    [{ mode: 'dense', min_score: 1.5 }, 'from -1 to 1'],
    [{ mode: 'lexical', min_score: -0.1 }, '0 or more'],
    [{ mode: 'hybrid', min_score: 0.1 }, 'takes no min_score'],
  ])('%j is refused', async (body, hint) => {
    const problem = await refused({ query: QUERY, ...body })
    expect(problem).toMatchObject({ code: 'INVALID_INPUT', details: { field: 'min_score' } })
    expect(problem.detail).toContain(hint)
  })
})

test('a search that does not say takes the mode of the collection: hybrid, until it is told another', async () => {
  expect((await search({ query: QUERY })).mode).toBe('hybrid')
  const change = (mode: string) => library.http().patch('/collections/default').send({ mode }).expect(200)
  await change('lexical')
  try {
    expect((await search({ query: QUERY })).mode).toBe('lexical')
    expect((await search({ query: QUERY, mode: 'dense' })).mode).toBe('dense')
    expect((await search({ like: 'tides' })).mode).toBe('dense')
  } finally {
    await change('hybrid')
  }
})

test('a vector and a document have no words', async () => {
  const vector = Array.from({ length: 384 }, (_, i) => i + 1)
  for (const target of [{ vector }, { like: 'tides' }]) {
    expect((await search(target)).mode).toBe('dense')
    for (const mode of ['lexical', 'hybrid']) {
      expect((await refused({ ...target, mode })).detail).toContain('compared by vectors')
    }
  }
})

test('the legs have their times, also for browsers and in the metrics', async () => {
  const phases = {
    dense: ['dense'],
    lexical: ['lexical'],
    hybrid: ['dense', 'lexical', 'fusion', 'documents'],
  }
  for (const [mode, own] of Object.entries(phases)) {
    const reply = await library.http().post('/search').send({ query: QUERY, mode }).expect(200)
    const expected = ['tokenize', 'queue', 'inference', 'search', ...own, 'total']
    expect(Object.keys(reply.body.timings_ms)).toEqual(expected)
    const timing = reply.headers['server-timing'] ?? ''
    expect(timing.split(', ').map((entry: string) => entry.split(';')[0])).toEqual(expected)
    if (mode === 'lexical') expect(reply.body.timings_ms.inference).toBe(0)
  }
  const { text } = await library.http().get('/metrics').expect(200)
  expect(text).toMatch(/llara_search_duration_seconds_count\{mode="hybrid"\} [1-9]/)
  expect(text).toMatch(/llara_searches_total\{collection="default",leg="lexical",path="exact"\} [1-9]/)
})
