import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLibrary } from './library.ts'

const MODES = ['dense', 'lexical', 'hybrid'] as const
const THINGS = ['sea', 'bread', 'car', 'winter', 'oven', 'battery']

let library: Awaited<ReturnType<typeof openLibrary>>
beforeAll(async () => {
  const documents = Array.from({ length: 72 }, (_, i) => ({
    id: `d${i}`,
    text: `A note on the ${THINGS[i % 6]} and the ${THINGS[(i >> 2) % 6]}, number ${i}.`,
    // Six shelves; all notes but five stand on the first.
    metadata: { shelf: i % 12 === 7 ? `shelf ${1 + (i % 5)}` : 'shelf 0', n: i },
  }))
  library = await openLibrary(documents, { hybridCandidates: 10 })
})
afterAll(() => library.close())

test.each(MODES)('pages of a %s search over the bundled model fit each other', async (mode) => {
  const all: string[] = []
  for (let offset = 0; offset < 72; offset += 16) {
    const { results } = await library.search({ query: 'notes on the sea', mode, k: 16, offset, include: [] })
    all.push(...results.map(({ id }) => id))
  }
  expect(new Set(all).size).toBe(72)
  expect(all).toHaveLength(72)
})

test.each(MODES)('a %s search over the bundled model finds all groups there are', async (mode) => {
  const body = {
    query: 'note on the sea',
    mode,
    group_by: 'shelf',
    group_size: 2,
    k: 20,
    include: ['metadata'],
  }
  const { results } = (await library.search(body)) as unknown as {
    results: { id: string; group: string; metadata: { shelf: string } }[]
  }
  const shelves = new Map<string, number>()
  for (const { group, metadata } of results) {
    expect(metadata.shelf).toBe(group)
    shelves.set(group, (shelves.get(group) ?? 0) + 1)
  }
  expect(shelves.get('shelf 0')).toBe(2)
  const stored = await library
    .http()
    .post('/documents/query')
    .send({ facets: ['shelf'], limit: 1 })
    .expect(200)
  for (const { value, count } of stored.body.facets[0].values)
    expect(shelves.get(value)).toBe(Math.min(2, count))
})
