import { describe, expect, it } from 'vitest'
import type { DocumentIndex } from '../../src/index/document-index.ts'
import { parseFilter } from '../../src/retrieval/checks/parse-filter.ts'
import { parseSort } from '../../src/retrieval/checks/parse-sort.ts'
import { ExactIndex } from '../oracle/exact-index.ts'
import { idsOf, named } from './documents.ts'
import { KEYS, Random, randomDocument } from './random.ts'
import { DIMENSIONS, openIn, scratchFolder, searchVectors } from './scratch.ts'

const SORTS = [['a'], ['-a'], ['b', '-a'], ['constructor', 'a', 'b'], ['-a.b', 'c']].map((keys) =>
  parseSort(keys),
)
const FILTERS = [{}, { a: { $exists: true } }, { b: { $ne: 1 }, c: { $exists: false } }].map((wire) =>
  parseFilter(wire),
)

/** Short slices; the graph does not matter here. */
const QUICK = { sliceMsMax: 1, hnswM: 2, hnswEfConstruction: 8 }

describe('sorting over SQL', () => {
  it('lists exactly as the reference does', async () => {
    const random = new Random(11)
    const index = await openIn(await scratchFolder())
    const oracle = new ExactIndex(DIMENSIONS)
    const documents = Array.from({ length: 350 }, (_, i) => randomDocument(random, `d${i}`, DIMENSIONS))
    for (const target of [index, oracle]) {
      await target.upsert(documents)
      await target.remove({ ids: idsOf(documents.slice(0, 30)) })
    }
    expect(KEYS).toEqual(expect.arrayContaining(['a', 'b', 'c', 'a.b']))
    for (const sort of SORTS) {
      for (const filter of [undefined, ...FILTERS]) {
        let cursor: string | undefined
        do {
          const call = { sort, limit: 60, ...(filter && { filter }), ...(cursor && { cursor }) }
          const [page, expected] = await Promise.all([index.scan(call), oracle.scan(call)])
          expect(page).toEqual(expected)
          cursor = page.nextCursor ?? undefined
        } while (cursor)
      }
    }
  })

  it('lists values that very many documents share, in id order, without sorting them all', async () => {
    const index = await openIn(await scratchFolder(), QUICK)
    await index.upsert(many(4400, (i) => ({ same: 1, half: i % 2, n: i })))
    const ids = Array.from({ length: 4400 }, (_, i) => idOf(i))
    expect(await pages(index, ['same'], 2000)).toEqual(ids)
    expect(await pages(index, ['-same', '-n'], 1500)).toEqual([...ids].reverse())
    const byHalf = [...ids.filter((_, i) => i % 2 === 1), ...ids.filter((_, i) => i % 2 === 0)]
    expect(await pages(index, ['same', '-half'], 2000)).toEqual(byHalf)
    let listed = false
    const listing = index.scan({ sort: parseSort(['same', 'n']), limit: 4400, fields: [] }).then(() => {
      listed = true
    })
    await searchVectors(index, [new Random(1).unitVector(DIMENSIONS)], 1)
    expect(listed).toBe(false)
    await listing
  })

  it('misses no document that is replaced while its page is filled', async () => {
    const index = await openIn(await scratchFolder(), QUICK)
    const documents = many(1500, (i) => ({ n: i % 5, kept: true }))
    await index.upsert(documents)
    const calls = [
      { sort: parseSort(['n']) },
      { sort: parseSort(['-n']), filter: parseFilter({ kept: true }) },
      { filter: parseFilter({ kept: true }) },
    ]
    for (const call of calls) {
      const listing = index.scan({ ...call, limit: 1500, fields: [] })
      await index.upsert(documents.slice(700, 720))
      expect((await listing).documents).toHaveLength(1500)
    }
  })
})

const idOf = (i: number) => `d${String(i).padStart(4, '0')}`

function many(n: number, metadata: (i: number) => Record<string, number | boolean>) {
  const random = new Random(3)
  return Array.from({ length: n }, (_, i) => named(idOf(i), random.unitVector(DIMENSIONS), metadata(i)))
}

async function pages(index: DocumentIndex, sort: string[], limit: number): Promise<string[]> {
  const ids: string[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await index.scan({ sort: parseSort(sort), limit, fields: [], ...(cursor && { cursor }) })
    ids.push(...page.documents.map(({ id }) => id))
    cursor = page.nextCursor
  }
  return ids
}
