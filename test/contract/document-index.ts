import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { VectorDocument, VectorStore } from '../../src/index/document-index.ts'
import { parseFilter } from '../../src/index/filter.ts'
import type { Metadata } from '../../src/index/json.ts'

export interface OpenedStore {
  store: VectorStore
  /** Removes what the store leaves behind. */
  cleanUp(): Promise<void>
}

/** In four dimensions, vectors can be thought up by hand. */
export const CONTRACT_DIMENSIONS = 4

const v = (...numbers: number[]) => {
  const norm = Math.hypot(...numbers)
  return Float32Array.from(numbers, (value) => value / norm)
}
const X = v(1, 0, 0, 0)

function doc(id: string, vector: Float32Array = X, metadata: Metadata = {}): VectorDocument {
  return { id, text: `text of ${id}`, title: `title of ${id}`, metadata, vector }
}

/** What every vector store does, over a freshly opened one of CONTRACT_DIMENSIONS dimensions. */
export function vectorStoreContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`${name} keeps the contract of vector stores`, () => {
    let opened: OpenedStore
    let store: VectorStore
    beforeAll(async () => {
      opened = await open()
      store = opened.store
    })
    afterAll(async () => {
      await store.close()
      await opened.cleanUp()
    })
    beforeEach(async () => {
      await store.remove({ filter: parseFilter({}) })
    })
    const ids = async (vector: Float32Array, k: number, options = {}) =>
      (await store.search([vector], k, options))[0]?.hits.map((hit) => hit.id)

    it('gives documents back as they were given', async () => {
      const metadata = JSON.parse(
        '{"n":9007199254740993,"f":1e-300,"s":"\\u0000é😀","list":[1,[2,null]],"o":{"a.b":{}},"__proto__":{"x":1},"constructor":"c"}',
      ) as Metadata
      const given = { ...doc('a', v(1, 2, 3, 4), metadata), title: null, text: '' }
      expect(await store.upsert([given])).toEqual({ created: 1, updated: 0 })
      const [found, missing] = await store.get(['a', 'b'])
      expect(found).toEqual({ id: 'a', text: '', title: null, metadata })
      expect(Object.hasOwn(found?.metadata ?? {}, '__proto__')).toBe(true)
      expect(missing).toBeUndefined()
      expect(await store.vectors(['b', 'a'])).toEqual([undefined, given.vector])
      expect(store.dimensions).toBe(CONTRACT_DIMENSIONS)
    })

    it('takes nothing and asks for nothing', async () => {
      expect(await store.upsert([])).toEqual({ created: 0, updated: 0 })
      expect(await store.get([])).toEqual([])
      expect(await store.search([], 3)).toEqual([])
      expect(await store.search([X], 3)).toMatchObject([{ hits: [] }])
      expect(await store.remove({ ids: [] })).toEqual({ removed: 0 })
      expect(await store.scan({ limit: 3 })).toEqual({ documents: [], nextCursor: null })
    })

    it('replaces whole documents, vector and metadata too', async () => {
      await store.upsert([doc('a', v(1, 0, 0, 0), { old: 1 }), doc('b', v(0, 1, 0, 0))])
      expect(await store.upsert([doc('a', v(0, 0, 1, 0), { new: 1 }), doc('c')])).toEqual({
        created: 1,
        updated: 1,
      })
      expect(await ids(v(0, 0, 1, 0), 1)).toEqual(['a'])
      expect(await store.count()).toBe(3)
      expect(await store.count(parseFilter({ old: 1 }))).toBe(0)
      expect(await store.count(parseFilter({ new: 1 }))).toBe(1)
      expect(store.stats()).toMatchObject({ documents: 3, waiting: 0 })
    })

    it('lets the last of equal ids in one batch win', async () => {
      const result = await store.upsert([
        doc('a', v(1, 0, 0, 0), { n: 1 }),
        doc('a', v(0, 1, 0, 0), { n: 2 }),
      ])
      expect(result).toEqual({ created: 1, updated: 0 })
      expect((await store.get(['a']))[0]?.metadata).toEqual({ n: 2 })
      expect((await store.search([v(0, 1, 0, 0)], 5))[0]?.hits).toMatchObject([{ id: 'a', score: 1 }])
    })

    it('takes any whole Unicode string as an id', async () => {
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
      await store.upsert(odd.map((id) => doc(id)))
      expect((await store.get(odd)).map((found) => found?.id)).toEqual(odd)
      expect(await ids(X, 100)).toHaveLength(odd.length)
      expect(await store.remove({ ids: odd })).toEqual({ removed: odd.length })
    })

    it('makes broken Unicode whole in texts and refuses it in ids', async () => {
      await store.upsert([{ ...doc('a', X, { s: 'x\ud800', 'k\udc00': 1 }), text: '\ud800' }])
      expect((await store.get(['a']))[0]).toMatchObject({
        text: '\ufffd',
        metadata: { s: 'x\ufffd', 'k\ufffd': 1 },
      })
      expect(await store.count(parseFilter({ s: 'x\ud800' }))).toBe(1)
      await expect(store.upsert([doc('\ud800')])).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    })

    it('ranks by cosine, larger first', async () => {
      await store.upsert([
        doc('opposite', v(-1, 0, 0, 0)),
        doc('near', v(2, 1, 0, 0)),
        doc('same', v(1, 0, 0, 0)),
        doc('across', v(0, 1, 0, 0)),
      ])
      const [result] = await store.search([X], 4)
      expect(result?.hits.map((hit) => hit.id)).toEqual(['same', 'near', 'across', 'opposite'])
      const scores = result?.hits.map((hit) => hit.score) ?? []
      for (const [i, expected] of [1, 2 / Math.sqrt(5), 0, -1].entries()) {
        expect(scores[i]).toBeCloseTo(expected, 6)
      }
      expect(result?.hits[0]?.document).toEqual({
        id: 'same',
        text: 'text of same',
        title: 'title of same',
        metadata: {},
      })
    })

    it('answers each vector of a batch in its place', async () => {
      await store.upsert([doc('x', v(1, 0, 0, 0)), doc('y', v(0, 1, 0, 0))])
      const results = await store.search([v(0, 1, 0, 0), X, v(0, 1, 0, 0)], 1, { documents: false })
      expect(results.map(({ hits }) => hits)).toEqual([
        [{ id: 'y', score: 1 }],
        [{ id: 'x', score: 1 }],
        [{ id: 'y', score: 1 }],
      ])
    })

    it('takes vectors of any length and scores their direction', async () => {
      await store.upsert([doc('a', Float32Array.of(30, 40, 0, 0))])
      const [result] = await store.search([Float32Array.of(0.003, 0.004, 0, 0)], 1)
      expect(result?.hits[0]?.score).toBeCloseTo(1, 6)
      expect([...((await store.vectors(['a']))[0] ?? [])]).toEqual([Math.fround(0.6), Math.fround(0.8), 0, 0])
    })

    it('orders ties by id, by code point', async () => {
      const tied = ['b', 'a', '\u{1f600}', '\uff5e', 'B', 'aa']
      await store.upsert(tied.map((id) => doc(id)))
      expect(await ids(X, 10)).toEqual(['B', 'a', 'aa', 'b', '\uff5e', '\u{1f600}'])
      expect(await ids(X, 2)).toEqual(['B', 'a'])
    })

    it('gives k hits whenever k documents match', async () => {
      const documents = Array.from({ length: 60 }, (_, i) =>
        doc(`d${i}`, v(1, i, i * i, 1), { even: i % 2 === 0 }),
      )
      await store.upsert(documents)
      await store.remove({ ids: documents.slice(0, 20).map(({ id }) => id) })
      expect(await ids(X, 40)).toHaveLength(40)
      expect(await ids(X, 100)).toHaveLength(40)
      expect(await ids(X, 20, { filter: parseFilter({ even: true }) })).toHaveLength(20)
      expect(await ids(X, 5, { ef: 1 })).toHaveLength(5)
      expect(await ids(X, 40, { exact: true })).toEqual(await ids(X, 40))
    })

    it('leaves out what scores less than minScore', async () => {
      await store.upsert([doc('a', v(1, 0, 0, 0)), doc('b', v(1, 1, 0, 0)), doc('c', v(0, 1, 0, 0))])
      expect(await ids(X, 10, { minScore: 0.5 })).toEqual(['a', 'b'])
      expect(await ids(X, 10, { minScore: 1.5 })).toEqual([])
      expect(await ids(X, 10, { minScore: -7 })).toHaveLength(3)
    })

    it('says the exact path when it was asked for', async () => {
      await store.upsert([doc('a')])
      expect((await store.search([X], 1, { exact: true }))[0]?.path).toBe('exact')
    })

    it('filters searches, counts, scans and removals alike', async () => {
      await store.upsert([
        doc('a', v(1, 0, 0, 0), { lang: 'en', year: 2001 }),
        doc('b', v(1, 1, 0, 0), { lang: ['en', 'de'], year: 1999 }),
        doc('c', v(0, 1, 0, 0), { lang: 'de', year: '2001' }),
        doc('d', v(0, 0, 1, 0)),
      ])
      const cases: [unknown, string[]][] = [
        [{}, ['a', 'b', 'c', 'd']],
        [{ lang: 'en' }, ['a', 'b']],
        [{ lang: { $ne: 'en' } }, ['c', 'd']],
        [{ year: { $gte: 2000 } }, ['a']],
        [{ year: { $gte: '2000' } }, ['c']],
        [{ lang: 'de', year: { $lt: 2000 } }, ['b']],
        [{ $or: [{ year: 2001 }, { year: { $exists: false } }] }, ['a', 'd']],
        [{ $not: { $or: [{ lang: 'en' }, { lang: 'de' }] } }, ['d']],
        [{ lang: { $in: [] } }, []],
        [{ lang: { $nin: ['en', 'fr'] } }, ['c', 'd']],
      ]
      for (const [wire, expected] of cases) {
        const filter = parseFilter(wire)
        expect((await ids(X, 10, { filter }))?.sort()).toEqual(expected)
        expect(await store.count(filter)).toBe(expected.length)
        expect((await store.scan({ limit: 10, filter })).documents.map(({ id }) => id)).toEqual(expected)
      }
      expect(await store.remove({ filter: parseFilter({ lang: 'de' }) })).toEqual({ removed: 2 })
      expect(await ids(X, 10)).toEqual(['a', 'd'])
    })

    it('removes by id, counting what was there', async () => {
      await store.upsert([doc('a'), doc('b'), doc('c')])
      expect(await store.remove({ ids: ['a', 'a', 'nobody', 'c'] })).toEqual({ removed: 2 })
      expect(await store.get(['a', 'b', 'c'])).toMatchObject([undefined, { id: 'b' }, undefined])
      expect(await ids(X, 10)).toEqual(['b'])
      expect(await store.upsert([doc('a')])).toEqual({ created: 1, updated: 0 })
      expect(await ids(X, 10)).toEqual(['a', 'b'])
    })

    it('scans all documents once, in id order, page by page', async () => {
      const names = ['b', 'a', '\u{1f600}', '\uff5e', 'c', 'aa', '\u0000']
      await store.upsert(names.map((id, i) => doc(id, X, { odd: i % 2 === 1 })))
      const walk = async (limit: number, wire = {}) => {
        const seen: string[] = []
        let cursor: string | undefined
        do {
          const page = await store.scan({ limit, filter: parseFilter(wire), ...(cursor && { cursor }) })
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

    it('refuses what cannot be meant, and changes nothing', async () => {
      await store.upsert([doc('kept')])
      const bad: (() => Promise<unknown>)[] = [
        () => store.upsert([doc('a'), doc('b', Float32Array.of(1, 0))]),
        () => store.upsert([doc('a'), doc('b', Float32Array.of(Number.NaN, 0, 0, 0))]),
        () => store.upsert([doc('a'), doc('b', Float32Array.of(0, 0, 0, 0))]),
        () => store.upsert([doc('a', Float32Array.of(Number.POSITIVE_INFINITY, 0, 0, 0))]),
        () => store.upsert([doc('')]),
        () => store.upsert([{ ...doc('a'), metadata: { n: Number.NaN } }]),
        () => store.upsert([{ ...doc('a'), metadata: [] as unknown as Metadata }]),
        () => store.search([Float32Array.of(1)], 1),
        () => store.search([Float32Array.of(Number.NaN, 0, 0, 0)], 1),
        () => store.search([X], 0),
        () => store.search([X], 1.5),
        () => store.search([X], Number.NaN),
        () => store.search([X], 1e9),
        () => store.search([X], 1, { ef: 0 }),
        () => store.search([X], 1, { minScore: Number.NaN }),
        () => store.scan({ limit: 0 }),
        () => store.scan({ limit: 1, cursor: 'kept' }),
        () => store.scan({ limit: 1, cursor: '' }),
      ]
      for (const attempt of bad) await expect(attempt()).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      await expect(store.upsert([doc('a'), doc('b', Float32Array.of(1))])).rejects.toMatchObject({
        message: expect.stringContaining('documents[1]'),
        details: { index: 1 },
      })
      const many = { ...doc('a'), metadata: { list: Array.from({ length: 5000 }, (_, i) => i) } }
      await expect(store.upsert([many])).rejects.toMatchObject({ code: 'TOO_LARGE' })
      expect(await store.count()).toBe(1)
      expect(store.stats().documents).toBe(1)
    })

    it('keeps its own copy of what it was given', async () => {
      const given = doc('a', v(0, 1, 0, 0), { n: 1 })
      await store.upsert([given])
      given.vector.fill(7)
      given.metadata['n'] = 2
      expect((await store.get(['a']))[0]?.metadata).toEqual({ n: 1 })
      const [mine] = await store.vectors(['a'])
      mine?.fill(3)
      expect((await store.vectors(['a']))[0]).toEqual(v(0, 1, 0, 0))
    })

    it('finds what it acknowledged while others write', async () => {
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const mine = v(Math.cos(i), Math.sin(i), i / 50, 1)
          await store.upsert([doc(`d${i}`, mine)])
          expect(await ids(mine, 1)).toEqual([`d${i}`])
        }),
      )
      expect(await store.count()).toBe(20)
    })
  })

  describe(`${name}, closed`, () => {
    it('refuses every call with UNAVAILABLE, and closes again without complaint', async () => {
      const { store, cleanUp } = await open()
      await store.upsert([doc('a')])
      await store.snapshot()
      const inFlight = store.search([X], 1)
      await store.close()
      await store.close()
      expect((await inFlight)[0]?.hits).toHaveLength(1)
      const calls = [
        () => store.upsert([doc('b')]),
        () => store.get(['a']),
        () => store.vectors(['a']),
        () => store.remove({ ids: ['a'] }),
        () => store.search([X], 1),
        () => store.scan({ limit: 1 }),
        () => store.count(),
        () => store.snapshot(),
      ]
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      await cleanUp()
    })
  })
}
