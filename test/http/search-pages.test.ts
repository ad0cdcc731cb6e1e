import { afterAll, beforeAll, expect, test } from 'vitest'
import { openService, type Service } from './service.ts'

const COUNT = 60
const AUTHORS = ['Ito', 'Wu', 'Sow', 'Kim']
const MODES = ['dense', 'lexical', 'hybrid'] as const

interface Result {
  id: string
  score: number
  group?: string
}

let service: Service
beforeAll(async () => {
  service = await openService({ hybridCandidates: 10, groupsMax: 30, offsetMax: 100, likesMax: 3 })
  const documents = Array.from({ length: COUNT }, (_, i) => ({
    id: `d${String(i).padStart(2, '0')}`,
    text: `the sky is ${['blue', 'grey', 'red'][i % 3]} over ${'word '.repeat(i % 7)}number ${i}`,
    // Most are of one author, so that the first candidates do not have all of them.
    metadata: i % 12 === 5 ? {} : { author: AUTHORS[i % 20 === 0 ? 1 + ((i / 20) % 3) : 0], n: i },
  }))
  await service.http().post('/documents').send({ documents }).expect(200)
})
afterAll(() => service.close())

const search = (body: object) => service.http().post('/search').send(body)
const idsOf = (results: Result[]) => results.map(({ id }) => id)

test.each(MODES)('pages of a %s search fit each other, and have every document once', async (mode) => {
  const all: string[] = []
  for (let offset = 0; offset < COUNT; offset += 7) {
    const { body } = await search({ query: 'blue sky over number', mode, k: 7, offset }).expect(200)
    all.push(...idsOf(body.results))
  }
  expect(new Set(all).size).toBe(COUNT)
  expect(all).toHaveLength(COUNT)
  const wide = await search({ query: 'blue sky over number', mode, k: 30, offset: 15, include: [] }).expect(
    200,
  )
  expect(idsOf(wide.body.results)).toEqual(all.slice(15, 45))
  const { body } = await search({ query: 'blue sky over number', mode, k: 5, offset: COUNT }).expect(200)
  expect(body.results).toEqual([])
})

test.each(MODES)(
  'a %s search gives so many results of each group, and all groups there are',
  async (mode) => {
    const ask = (body: object) =>
      search({
        query: 'blue sky over number',
        mode,
        group_by: 'author',
        include: ['metadata'],
        ...body,
      }).expect(200)
    const { body } = await ask({ filter: { author: { $exists: true } }, k: 4 })
    expect(body.results.map(({ group }: Result) => group).sort()).toEqual([...AUTHORS].sort())
    const best = await search({
      query: 'blue sky over number',
      mode,
      filter: { author: 'Ito' },
      k: 3,
    }).expect(200)
    const two = await ask({ filter: { author: { $exists: true } }, k: 10, group_size: 2 })
    for (const author of AUTHORS) {
      const own = two.body.results.filter(({ group }: Result) => group === author)
      // There are three documents of which each other author has one.
      expect(own).toHaveLength(author === 'Ito' ? 2 : 1)
      if (author === 'Ito' && mode !== 'hybrid')
        expect(idsOf(own)).toEqual(idsOf(best.body.results).slice(0, 2))
    }
    // Documents without an author are groups of their own.
    const lone = await ask({ k: 30 })
    const withGroup = lone.body.results.filter(({ group }: Result) => group !== undefined)
    expect(new Set(withGroup.map(({ group }: Result) => group)).size).toBe(withGroup.length)
    expect(lone.body.results).toHaveLength(AUTHORS.length + 5)
    const pages = [await ask({ k: 5, offset: 0 }), await ask({ k: 5, offset: 5 })]
    expect(pages.flatMap((page) => idsOf(page.body.results))).toHaveLength(AUTHORS.length + 5)
  },
)

test('groups stand in the order of their best results', async () => {
  const { body } = await search({
    query: 'red sky',
    group_by: 'author',
    group_size: 3,
    k: 5,
    include: [],
  }).expect(200)
  const groups: Result[][] = []
  for (const result of body.results as Result[]) {
    const last = groups.at(-1)
    if (last && result.group !== undefined && last[0]?.group === result.group) last.push(result)
    else groups.push([result])
  }
  expect(groups).toHaveLength(5)
  const best = groups.map(([first]) => first!.score)
  expect(best).toEqual(best.toSorted((a, b) => b - a))
  for (const group of groups) {
    const scores = group.map(({ score }) => score)
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
    expect(scores.length).toBeLessThanOrEqual(3)
  }
})

test.each(MODES)('a faulty query of several gets its own error with mode %s', async (mode) => {
  const queries = ['blue sky', ' ', 'x'.repeat(9000), 'grey sky']
  const { body } = await search({ queries, mode, k: 2, include: [] }).expect(200)
  expect(body.batches[1]).toEqual({
    error: { code: 'INVALID_INPUT', detail: expect.stringContaining('queries[1]') },
  })
  expect(body.batches[2]).toEqual({
    error: { code: 'TOO_LARGE', detail: expect.stringContaining('QUERY_BYTES_MAX') },
  })
  expect(body.paths).toEqual([expect.any(String), null, null, expect.any(String)])
  for (const [i, query] of [
    [0, 'blue sky'],
    [3, 'grey sky'],
  ] as const) {
    const alone = await search({ query, mode, k: 2, include: [] }).expect(200)
    expect(idsOf(body.batches[i])).toEqual(idsOf(alone.body.results))
  }
  const none = await search({ queries: ['', ' '], mode, highlight: true }).expect(200)
  expect(none.body.batches.map(({ error }: { error: { code: string } }) => error.code)).toEqual([
    'INVALID_INPUT',
    'INVALID_INPUT',
  ])
  await search({ query: ' ', mode }).expect(422)
})

test('what is said of queries is said of the right ones', async () => {
  const { body } = await search({ queries: [' ', 'sky', 'word '.repeat(1500)], k: 1 }).expect(200)
  expect(body.truncated).toEqual([2])
})

test('documents are found like some and unlike others', async () => {
  const vectors = async (...ids: string[]) =>
    (await service.index.passages(ids)).map((passages) => passages![0]!.vector)
  const [a, b, c] = await vectors('d00', 'd01', 'd02')
  const vector = Array.from(a!, (value, i) => (value + b![i]!) / 2 - c![i]! / 2)
  const { body } = await search({ like: ['d00', 'd01'], unlike: ['d02'], k: 8, include: [] }).expect(200)
  const expected = await search({ vector, k: 11, include: [] }).expect(200)
  const left = expected.body.results
    .filter(({ id }: Result) => !['d00', 'd01', 'd02'].includes(id))
    .slice(0, 8)
  expect(idsOf(body.results)).toEqual(idsOf(left))
  for (const [i, { score }] of body.results.entries()) expect(score).toBeCloseTo(left[i].score, 5)
  const one = await search({ like: 'd00', k: 5, include: [] }).expect(200)
  expect((await search({ like: ['d00'], k: 5, include: [] }).expect(200)).body.results).toEqual(
    one.body.results,
  )
})

test('likes that cancel each other out, or are not there, are refused', async () => {
  await service
    .http()
    .post('/documents')
    .send({ documents: [{ id: 'twin', text: 'twin' }] })
  const [passages] = await service.index.passages(['twin'])
  const opposite = passages!.map(({ span, vector }) => ({ span, vector: vector.map((value) => -value) }))
  const [document] = await service.index.get(['twin'])
  await service.index.upsert([{ document: { ...document, id: 'opposite' } as never, passages: opposite }])
  const none = await search({ like: ['twin', 'opposite'] }).expect(422)
  expect(none.body.detail).toContain('cancel each other out')
  const missing = await search({ like: ['twin', 'nobody'] }).expect(404)
  expect(missing.body.details.field).toBe('like[1]')
  expect((await search({ like: 'twin', unlike: ['nobody'] }).expect(404)).body.details.field).toBe('unlike')
  await service
    .http()
    .post('/documents/delete')
    .send({ ids: ['twin', 'opposite'] })
    .expect(200)
})

test.each([
  [{ offset: 101 }, 422, 'offset'],
  [{ offset: -1 }, 422, 'offset'],
  [{ group_size: 2 }, 422, 'group_size'],
  [{ group_by: 'author', group_size: 11 }, 422, 'group_size'],
  [{ group_by: 'a..b' }, 422, 'group_by'],
  [{ group_by: 'author', k: 31 }, 413, 'k'],
  [{ group_by: 'author', k: 10, offset: 21 }, 413, 'k'],
  [{ unlike: ['d00'] }, 422, 'unlike'],
])('%j is refused', async (body, status, field) => {
  expect((await search({ query: 'sky', ...body }).expect(status)).body.details.field).toBe(field)
})

test.each([
  [{ like: [] }, 422],
  [{ like: ['a', 'b', 'c', 'd'] }, 413],
  [{ like: 5 }, 422],
  [{ like: ['d00'], unlike: [] }, 422],
])('the likes %j are refused', async (body, status) => {
  await search(body).expect(status)
})
