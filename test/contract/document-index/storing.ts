import { expect } from 'vitest'
import type { Metadata } from '../../../src/index/json.ts'
import { parseFilter } from '../../../src/retrieval/checks/parse-filter.ts'
import { indexed, vectorOf } from '../../index/documents.ts'
import { CONTRACT_DIMENSIONS, type ContractTest, doc, v, X } from './bench.ts'

/** What goes in comes back, once and whole. */
export function storing(contractTest: ContractTest): void {
  contractTest('gives documents back as they were given', async ({ index }) => {
    const metadata = JSON.parse(
      '{"n":9007199254740993,"f":1e-300,"s":"\\u0000é😀","list":[1,[2,null]],"o":{"a.b":{}},"__proto__":{"x":1},"constructor":"c"}',
    ) as Metadata
    const given = indexed({ id: 'a', title: null, text: '', metadata }, v(1, 2, 3, 4))
    expect(await index.upsert([given])).toEqual({ created: 1, updated: 0 })
    const [found, missing] = await index.get(['a', 'b'])
    expect(found).toEqual({ id: 'a', text: '', title: null, metadata })
    expect(Object.hasOwn(found?.metadata ?? {}, '__proto__')).toBe(true)
    expect(missing).toBeUndefined()
    expect(await index.passages(['b', 'a'])).toEqual([undefined, given.passages])
    expect(index.dimensions).toBe(CONTRACT_DIMENSIONS)
  })

  contractTest('reads of documents what is asked for', async (bench) => {
    const { index } = bench
    await index.upsert([indexed({ id: 'a', title: 'T', text: 'long', metadata: { n: 1 } }, X)])
    const asked = await index.get(['a'], { fields: ['title', 'metadata'] })
    expect(asked).toEqual([{ id: 'a', title: 'T', metadata: { n: 1 } }])
    expect(await index.get(['a', 'b'], { fields: [] })).toEqual([{ id: 'a' }, undefined])
  })

  contractTest('takes nothing and asks for nothing', async (bench) => {
    const { index } = bench
    expect(await index.upsert([])).toEqual({ created: 0, updated: 0 })
    expect(await index.get([])).toEqual([])
    expect(await bench.search([], 3)).toEqual([])
    expect(await index.passages([])).toEqual([])
    expect(await bench.search([X], 3)).toMatchObject([{ hits: [] }])
    expect(await index.remove({ ids: [] })).toEqual({ removed: 0 })
    expect(await index.scan({ limit: 3 })).toEqual({ documents: [], nextCursor: null })
  })

  contractTest('replaces whole documents, vector and metadata too', async (bench) => {
    const { index } = bench
    await index.upsert([doc('a', v(1, 0, 0, 0), { old: 1 }), doc('b', v(0, 1, 0, 0))])
    expect(await index.upsert([doc('a', v(0, 0, 1, 0), { new: 1 }), doc('c')])).toEqual({
      created: 1,
      updated: 1,
    })
    expect(await bench.ids(v(0, 0, 1, 0), 1)).toEqual(['a'])
    expect(await bench.ids(X, 10, { filter: parseFilter({ old: 1 }) })).toEqual([])
    expect(await bench.ids(X, 10, { filter: parseFilter({ new: 1 }) })).toEqual(['a'])
    expect(await index.stats()).toMatchObject({ documents: 3, passages: 3, waiting: 0 })
  })

  contractTest('lets the last of equal ids in one batch win', async (bench) => {
    const { index } = bench
    const result = await index.upsert([doc('a', v(1, 0, 0, 0), { n: 1 }), doc('a', v(0, 1, 0, 0), { n: 2 })])
    expect(result).toEqual({ created: 1, updated: 0 })
    expect((await index.get(['a']))[0]?.metadata).toEqual({ n: 2 })
    expect((await bench.search([v(0, 1, 0, 0)], 5))[0]?.hits).toMatchObject([{ id: 'a', score: 1 }])
  })

  contractTest('takes any whole Unicode string as an id', async (bench) => {
    const { index } = bench
    const odd = [
      "'; DROP TABLE documents; --",
      '"',
      '\u0000',
      'a\u0000b',
      ' ',
      '%',
      '\u{1f600}',
      'x'.repeat(512),
      '../a',
    ]
    await index.upsert(odd.map((id) => doc(id)))
    expect((await index.get(odd)).map((found) => found?.id)).toEqual(odd)
    expect(await bench.ids(X, 100)).toHaveLength(odd.length)
    expect(await index.remove({ ids: odd })).toEqual({ removed: odd.length })
  })

  contractTest('removes by id, counting what was there', async (bench) => {
    const { index } = bench
    await index.upsert([doc('a'), doc('b'), doc('c')])
    expect(await index.remove({ ids: ['a', 'a', 'nobody', 'c'] })).toEqual({ removed: 2 })
    expect(await index.get(['a', 'b', 'c'])).toMatchObject([undefined, { id: 'b' }, undefined])
    expect(await bench.ids(X, 10)).toEqual(['b'])
    expect(await index.upsert([doc('a')])).toEqual({ created: 1, updated: 0 })
    expect(await bench.ids(X, 10)).toEqual(['a', 'b'])
  })

  contractTest('scans all documents once, in id order, page by page', async ({ index }) => {
    const names = ['b', 'a', '\u{1f600}', '\uff5e', 'c', 'aa', '\u0000']
    await index.upsert(names.map((id, i) => doc(id, X, { odd: i % 2 === 1 })))
    const walk = async (limit: number, wire = {}) => {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await index.scan({ limit, filter: parseFilter(wire), ...(cursor && { cursor }) })
        expect(page.documents.length).toBeLessThanOrEqual(limit)
        seen.push(...page.documents.map(({ id }) => id))
        cursor = page.nextCursor ?? undefined
      } while (cursor)
      return seen
    }
    const sorted = ['\u0000', 'a', 'aa', 'b', 'c', '\uff5e', '\u{1f600}']
    for (const limit of [1, 2, 3, 7, 8]) expect(await walk(limit)).toEqual(sorted)
    expect(await walk(1, { odd: true })).toEqual(['a', 'aa', '\uff5e'])
  })

  contractTest('counts what matches, and reads the fields asked for', async ({ index }) => {
    expect(await index.count()).toBe(0)
    await index.upsert(['a', 'b', 'c'].map((id, i) => doc(id, X, { n: i })))
    await index.remove({ ids: ['b'] })
    expect(await index.count()).toBe(2)
    expect(await index.count({ filter: parseFilter({ n: { $gt: 0 } }) })).toBe(1)
    expect(await index.count({ filter: parseFilter({ n: 7 }) })).toBe(0)
    const { documents } = await index.scan({ limit: 1, fields: ['metadata'] })
    expect(documents).toEqual([{ id: 'a', metadata: { n: 0 } }])
    expect((await index.scan({ limit: 2, fields: [] })).documents).toEqual([{ id: 'a' }, { id: 'c' }])
  })

  contractTest('keeps its own copy of what it was given', async ({ index }) => {
    const given = doc('a', v(0, 1, 0, 0), { n: 1 })
    await index.upsert([given])
    vectorOf(given).fill(7)
    given.document.metadata['n'] = 2
    expect((await index.get(['a']))[0]?.metadata).toEqual({ n: 1 })
    const [mine] = await index.passages(['a'])
    mine?.[0]?.vector.fill(3)
    expect((await index.passages(['a']))[0]?.[0]?.vector).toEqual(v(0, 1, 0, 0))
  })

  contractTest('finds what it acknowledged while others write', async (bench) => {
    const { index } = bench
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const mine = v(Math.cos(i), Math.sin(i), i / 50, 1)
        await index.upsert([doc(`d${i}`, mine)])
        expect(await bench.ids(mine, 1)).toEqual([`d${i}`])
      }),
    )
    expect(await bench.count()).toBe(20)
  })
}
