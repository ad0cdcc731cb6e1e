import { expect } from 'vitest'
import type { Json, Metadata } from '../../../src/index/json.ts'
import { parseFilter } from '../../../src/retrieval/checks/parse-filter.ts'
import { parseSort } from '../../../src/retrieval/checks/parse-sort.ts'
import { type ContractTest, doc, v, X } from './bench.ts'

const BOUNDS = { bytesMax: 200, valuesMax: 20 }
const merging = (merge: Metadata | null) => ({ merge, ...BOUNDS })

/** RFC 7396, appendix A, as far as both sides are objects. */
const EXAMPLES: [Metadata, Metadata, Metadata][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
]

/** How metadata changes in place. */
export function patching(contractTest: ContractTest): void {
  contractTest('merges patches as RFC 7396 has it, and says what came of one', async ({ index }) => {
    for (const [before, merge, after] of EXAMPLES) {
      await index.upsert([doc('a', X, before)])
      expect(await index.patch({ ids: ['a'] }, merging(merge))).toEqual({ patched: 1, metadata: after })
      expect((await index.get(['a']))[0]?.metadata).toEqual(after)
    }
    expect(await index.patch({ ids: ['a', 'a'] }, merging(null))).toEqual({ patched: 1, metadata: {} })
  })

  contractTest('patches nothing but metadata, and every read knows it', async (bench) => {
    const { index } = bench
    const y = v(0, 1, 0, 0)
    await index.upsert([doc('a', X, { year: 1, tags: ['old'] }), doc('b', y, { year: 2 }), doc('c', y)])
    const passages = await index.passages(['a', 'b'])
    const filter = parseFilter({ year: { $exists: true } })
    expect(await bench.ids(X, 5, { filter })).toEqual(['a', 'b'])
    expect(await index.patch({ filter }, merging({ tags: ['new'], year: 7 }))).toEqual({ patched: 2 })
    expect(await index.patch({ ids: ['c', 'b'] }, merging({ year: 3 }))).toEqual({ patched: 2 })
    expect(await index.get(['a', 'b', 'c'])).toMatchObject([
      { text: 'text of a', title: 'title of a', metadata: { year: 7, tags: ['new'] } },
      { metadata: { year: 3, tags: ['new'] } },
      { metadata: { year: 3 } },
    ])
    expect(await index.passages(['a', 'b'])).toEqual(passages)
    expect(await bench.ids(X, 5, { filter })).toEqual(['a', 'b', 'c'])
    expect(await bench.ids(X, 5, { filter: parseFilter({ tags: 'old' }) })).toEqual([])
    expect(await bench.ids(y, 5, { filter: parseFilter({ year: 3 }) })).toEqual(['b', 'c'])
    expect(await index.count({ filter: parseFilter({ year: 7 }) })).toBe(1)
    expect((await index.facets([['year']], { limit: 5 }))[0]?.values).toEqual([
      { value: 3, count: 2 },
      { value: 7, count: 1 },
    ])
    const sorted = await index.scan({ limit: 5, sort: parseSort(['-year']), fields: [] })
    expect(sorted.documents.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(await index.stats()).toMatchObject({ documents: 3, passages: 3 })
  })

  contractTest('patches all documents or none', async ({ index }) => {
    const before: Metadata[] = [{ n: 1 }, { n: 2, long: 'x'.repeat(150) }]
    await index.upsert([doc('a', X, before[0]), doc('b', X, before[1])])
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, i): [string, Json] => [`f${i}`, 0]))
    const refused = [
      [{ ids: ['a', 'nobody', 'b'] }, { n: 9 }, { code: 'NOT_FOUND', details: { ids: ['nobody'] } }],
      [
        { ids: ['a', 'b'] },
        { more: 'y'.repeat(30) },
        { code: 'TOO_LARGE', details: { id: 'b', limit: 200 } },
      ],
      [{ filter: parseFilter({}) }, { more: 'y'.repeat(30) }, { code: 'TOO_LARGE' }],
      [{ ids: ['a'] }, many, { code: 'TOO_LARGE', details: { limit: 20 } }],
    ] as const
    for (const [target, merge, error] of refused) {
      await expect(index.patch(target, merging(merge))).rejects.toMatchObject(error)
      expect((await index.get(['a', 'b'])).map((found) => found?.metadata)).toEqual(before)
    }
    expect(await index.patch({ ids: [] }, merging({ n: 9 }))).toEqual({ patched: 0 })
    expect(await index.patch({ filter: parseFilter({ n: -1 }) }, merging({ n: 9 }))).toEqual({ patched: 0 })
  })

  contractTest('loses none of the patches that come at once', async ({ index }) => {
    await index.upsert([doc('a', X, { kept: true })])
    await Promise.all(
      Array.from({ length: 12 }, (_, i) => index.patch({ ids: ['a'] }, merging({ [`f${i}`]: i }))),
    )
    const fields = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`f${i}`, i]))
    expect((await index.get(['a']))[0]?.metadata).toEqual({ kept: true, ...fields })
  })
}
