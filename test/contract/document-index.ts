import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { IndexedDocument } from '../../src/index/document.ts'
import type { DocumentIndex, SearchOptions } from '../../src/index/document-index.ts'
import type { Metadata } from '../../src/index/json.ts'
import { parseFilter } from '../../src/retrieval/checks/parse-filter.ts'
import { idsOf, indexed, named, vectorOf } from '../index/documents.ts'

export interface OpenedIndex {
  index: DocumentIndex
  /** Removes what the index leaves behind. */
  cleanUp(): Promise<void>
}

/** A promise of the contract that an engine does not keep, and why; the list is printed with the tests. */
export interface Deviation {
  reason: string
  /** Titles of the tests that it does not pass. */
  tests: readonly string[]
}

/** In four dimensions, vectors can be thought up by hand. */
export const CONTRACT_DIMENSIONS = 4

const v = (...numbers: number[]) => {
  const norm = Math.hypot(...numbers)
  return Float32Array.from(numbers, (value) => value / norm)
}
const X = v(1, 0, 0, 0)

function doc(id: string, vector: Float32Array = X, metadata: Metadata = {}): IndexedDocument {
  return named(id, vector, metadata)
}

/** What every document index does, over a freshly opened one of CONTRACT_DIMENSIONS dimensions. */
export function documentIndexContract(
  name: string,
  open: () => Promise<OpenedIndex>,
  deviations: readonly Deviation[] = [],
): void {
  const left = new Set(deviations.flatMap(({ tests }) => tests))
  for (const { reason, tests } of deviations) console.log(`${name} deviates (${reason}): ${tests.join('; ')}`)
  /** Runs unless the engine declares that it deviates. */
  const promise = (title: string, test: () => Promise<void>) => {
    if (!left.delete(title)) it(title, test)
  }
  describe(`${name} keeps the contract of document indexes`, () => {
    let opened: OpenedIndex
    let index: DocumentIndex
    beforeAll(async () => {
      opened = await open()
      index = opened.index
    })
    afterAll(async () => {
      await index.close()
      await opened.cleanUp()
    })
    beforeEach(async () => {
      await index.remove({ filter: parseFilter({}) })
    })
    const search = (vectors: Float32Array[], k: number, options: SearchOptions = {}) =>
      index.search(
        vectors.map((vector) => ({ vector })),
        k,
        options,
      )
    const count = async () => (await index.stats()).documents
    const ids = async (vector: Float32Array, k: number, options: SearchOptions = {}) =>
      (await search([vector], k, options))[0]?.hits.map((hit) => hit.id)

    promise('gives documents back as they were given', async () => {
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

    promise('takes nothing and asks for nothing', async () => {
      expect(await index.upsert([])).toEqual({ created: 0, updated: 0 })
      expect(await index.get([])).toEqual([])
      expect(await search([], 3)).toEqual([])
      expect(await index.passages([])).toEqual([])
      expect(await search([X], 3)).toMatchObject([{ hits: [] }])
      expect(await index.remove({ ids: [] })).toEqual({ removed: 0 })
      expect(await index.scan({ limit: 3 })).toEqual({ documents: [], nextCursor: null })
    })

    promise('replaces whole documents, vector and metadata too', async () => {
      await index.upsert([doc('a', v(1, 0, 0, 0), { old: 1 }), doc('b', v(0, 1, 0, 0))])
      expect(await index.upsert([doc('a', v(0, 0, 1, 0), { new: 1 }), doc('c')])).toEqual({
        created: 1,
        updated: 1,
      })
      expect(await ids(v(0, 0, 1, 0), 1)).toEqual(['a'])
      expect(await ids(X, 10, { filter: parseFilter({ old: 1 }) })).toEqual([])
      expect(await ids(X, 10, { filter: parseFilter({ new: 1 }) })).toEqual(['a'])
      expect(await index.stats()).toMatchObject({ documents: 3, passages: 3, waiting: 0 })
    })

    promise('lets the last of equal ids in one batch win', async () => {
      const result = await index.upsert([
        doc('a', v(1, 0, 0, 0), { n: 1 }),
        doc('a', v(0, 1, 0, 0), { n: 2 }),
      ])
      expect(result).toEqual({ created: 1, updated: 0 })
      expect((await index.get(['a']))[0]?.metadata).toEqual({ n: 2 })
      expect((await search([v(0, 1, 0, 0)], 5))[0]?.hits).toMatchObject([{ id: 'a', score: 1 }])
    })

    promise('takes any whole Unicode string as an id', async () => {
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
      expect(await ids(X, 100)).toHaveLength(odd.length)
      expect(await index.remove({ ids: odd })).toEqual({ removed: odd.length })
    })

    promise('ranks by cosine, larger first', async () => {
      await index.upsert([
        doc('opposite', v(-1, 0, 0, 0)),
        doc('near', v(2, 1, 0, 0)),
        doc('same', v(1, 0, 0, 0)),
        doc('across', v(0, 1, 0, 0)),
      ])
      const [result] = await search([X], 4)
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

    promise('answers each vector of a batch in its place', async () => {
      await index.upsert([doc('x', v(1, 0, 0, 0)), doc('y', v(0, 1, 0, 0))])
      const results = await search([v(0, 1, 0, 0), X, v(0, 1, 0, 0)], 1, { documents: false })
      expect(results.map(({ hits }) => hits)).toMatchObject([
        [{ id: 'y', score: 1 }],
        [{ id: 'x', score: 1 }],
        [{ id: 'y', score: 1 }],
      ])
      expect(results[0]?.hits[0]).not.toHaveProperty('document')
    })

    promise('takes vectors of any length and scores their direction', async () => {
      await index.upsert([doc('a', Float32Array.of(30, 40, 0, 0))])
      const [result] = await search([Float32Array.of(0.003, 0.004, 0, 0)], 1)
      expect(result?.hits[0]?.score).toBeCloseTo(1, 6)
      const [passages] = await index.passages(['a'])
      expect([...(passages?.[0]?.vector ?? [])]).toEqual([Math.fround(0.6), Math.fround(0.8), 0, 0])
    })

    promise('orders ties by id, by code point', async () => {
      const tied = ['b', 'a', '\u{1f600}', '\uff5e', 'B', 'aa']
      await index.upsert(tied.map((id) => doc(id)))
      expect(await ids(X, 10)).toEqual(['B', 'a', 'aa', 'b', '\uff5e', '\u{1f600}'])
      expect(await ids(X, 2)).toEqual(['B', 'a'])
    })

    promise('gives k hits whenever k documents match', async () => {
      const documents = Array.from({ length: 60 }, (_, i) =>
        doc(`d${i}`, v(1, i, i * i, 1), { even: i % 2 === 0 }),
      )
      await index.upsert(documents)
      await index.remove({ ids: idsOf(documents.slice(0, 20)) })
      expect(await ids(X, 40)).toHaveLength(40)
      expect(await ids(X, 100)).toHaveLength(40)
      expect(await ids(X, 20, { filter: parseFilter({ even: true }) })).toHaveLength(20)
      expect(await ids(X, 5, { tuning: { ef: 1 } })).toHaveLength(5)
      expect(await ids(X, 40, { tuning: { exact: true } })).toEqual(await ids(X, 40))
    })

    promise('leaves out what scores less than the floor', async () => {
      await index.upsert([doc('a', v(1, 0, 0, 0)), doc('b', v(1, 1, 0, 0)), doc('c', v(0, 1, 0, 0))])
      expect(await ids(X, 10, { floor: 0.5 })).toEqual(['a', 'b'])
      expect(await ids(X, 10, { floor: 1.5 })).toEqual([])
      expect(await ids(X, 10, { floor: -7 })).toHaveLength(3)
    })

    promise('says that it scored everything when asked to', async () => {
      await index.upsert([doc('a')])
      expect((await search([X], 1, { tuning: { exact: true } }))[0]?.path).toBe('exact')
    })

    promise('filters searches, scans and removals alike', async () => {
      await index.upsert([
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
        expect((await index.scan({ limit: 10, filter })).documents.map(({ id }) => id)).toEqual(expected)
      }
      expect(await index.remove({ filter: parseFilter({ lang: 'de' }) })).toEqual({ removed: 2 })
      expect(await ids(X, 10)).toEqual(['a', 'd'])
    })

    promise('removes by id, counting what was there', async () => {
      await index.upsert([doc('a'), doc('b'), doc('c')])
      expect(await index.remove({ ids: ['a', 'a', 'nobody', 'c'] })).toEqual({ removed: 2 })
      expect(await index.get(['a', 'b', 'c'])).toMatchObject([undefined, { id: 'b' }, undefined])
      expect(await ids(X, 10)).toEqual(['b'])
      expect(await index.upsert([doc('a')])).toEqual({ created: 1, updated: 0 })
      expect(await ids(X, 10)).toEqual(['a', 'b'])
    })

    promise('scans all documents once, in id order, page by page', async () => {
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

    promise('refuses vectors that have no direction here, and changes nothing', async () => {
      await index.upsert([doc('kept')])
      const bad = [
        Float32Array.of(1, 0),
        Float32Array.of(Number.NaN, 0, 0, 0),
        Float32Array.of(0, 0, 0, 0),
        Float32Array.of(Number.POSITIVE_INFINITY, 0, 0, 0),
      ]
      for (const vector of bad) {
        const refused = { code: 'INVALID_INPUT', details: { field: 'vector' } }
        await expect(index.upsert([doc('a'), doc('b', vector)])).rejects.toMatchObject(refused)
        await expect(search([X, vector], 1)).rejects.toMatchObject(refused)
      }
      expect(await count()).toBe(1)
    })

    promise('refuses cursors of others', async () => {
      for (const cursor of ['kept', '', 'MQ', '1a']) {
        await expect(index.scan({ limit: 1, cursor })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      }
    })

    promise('refuses the kinds of probes that its capabilities rule out', async () => {
      const { vectors, lexical } = index.capabilities
      if (!vectors) await expect(search([X], 1)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      const terms = index.search([{ terms: 'some words' }], 1)
      if (lexical) expect(await terms).toHaveLength(1)
      else await expect(terms).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    })

    promise('keeps its own copy of what it was given', async () => {
      const given = doc('a', v(0, 1, 0, 0), { n: 1 })
      await index.upsert([given])
      vectorOf(given).fill(7)
      given.document.metadata['n'] = 2
      expect((await index.get(['a']))[0]?.metadata).toEqual({ n: 1 })
      const [mine] = await index.passages(['a'])
      mine?.[0]?.vector.fill(3)
      expect((await index.passages(['a']))[0]?.[0]?.vector).toEqual(v(0, 1, 0, 0))
    })

    promise('finds a document by its best passage, and counts documents', async () => {
      const [x, y, z] = [v(1, 0, 0, 0), v(0, 1, 0, 0), v(0, 0, 1, 0)]
      const text = 'one two three'
      const long = indexed({ id: 'long', title: null, text, metadata: { long: true } }, x, y, v(1, 1, 0, 0))
      await index.upsert([long, doc('short', v(3, 4, 0, 0)), doc('other', z)])
      expect(await index.stats()).toMatchObject({ documents: 3, passages: 5 })
      for (const options of [{}, { tuning: { exact: true } }, { filter: parseFilter({ long: true }) }]) {
        const [first] = await search([y], 1, options)
        expect(first?.hits).toMatchObject([
          { id: 'long', score: 1, kind: 'cosine', passage: { ordinal: 1, start: 4, end: 8 } },
        ])
      }
      expect(await ids(x, 3)).toEqual(['long', 'short', 'other'])
      expect(await ids(x, 10)).toEqual(['long', 'short', 'other'])
      expect((await index.passages(['long']))[0]?.map(({ span }) => span)).toEqual([
        { start: 0, end: 4 },
        { start: 4, end: 8 },
        { start: 8, end: 13 },
      ])
      expect((await index.scan({ limit: 10 })).documents.map(({ id }) => id)).toEqual([
        'long',
        'other',
        'short',
      ])
      await index.upsert([indexed({ ...long.document }, z)])
      expect(await index.stats()).toMatchObject({ documents: 3, passages: 3 })
      expect(await ids(y, 3)).toEqual(['short', 'long', 'other'])
      expect(await index.remove({ filter: parseFilter({ long: true }) })).toEqual({ removed: 1 })
      expect(await index.stats()).toMatchObject({ documents: 2, passages: 2 })
    })

    promise('gives k documents though some have many passages', async () => {
      const around = (i: number) => Array.from({ length: 8 }, (_, j) => v(1, i / 100, j / 1000, 0))
      await index.upsert(
        Array.from({ length: 40 }, (_, i) => {
          return indexed(
            { id: `d${String(i).padStart(2, '0')}`, title: null, text: 'x', metadata: {} },
            ...around(i),
          )
        }),
      )
      const first = Array.from({ length: 15 }, (_, i) => `d${String(i).padStart(2, '0')}`)
      expect(await ids(X, 15)).toEqual(first)
      expect(await ids(X, 15, { tuning: { exact: true } })).toEqual(first)
    })

    promise('stops for a caller who has given up', async () => {
      await index.upsert([doc('a')])
      const signal = AbortSignal.abort()
      const calls = [
        () => index.upsert([doc('b')], { signal }),
        () => index.get(['a'], { signal }),
        () => index.passages(['a'], { signal }),
        () => index.remove({ ids: ['a'] }, { signal }),
        () => search([X], 1, { signal }),
        () => index.scan({ limit: 1, signal }),
      ]
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'ABORTED' })
      expect(await ids(X, 10)).toEqual(['a'])
    })

    promise('finds what it acknowledged while others write', async () => {
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const mine = v(Math.cos(i), Math.sin(i), i / 50, 1)
          await index.upsert([doc(`d${i}`, mine)])
          expect(await ids(mine, 1)).toEqual([`d${i}`])
        }),
      )
      expect(await count()).toBe(20)
    })
  })

  describe(`${name}, closed`, () => {
    it('answers what was asked, refuses what comes, and closes again without complaint', async () => {
      const { index, cleanUp } = await open()
      await index.upsert([doc('a')])
      const inFlight = index.search([{ vector: X }], 1)
      await index.close()
      await index.close()
      expect((await inFlight)[0]?.hits).toHaveLength(1)
      const calls = [
        () => index.upsert([doc('b')]),
        () => index.get(['a']),
        () => index.passages(['a']),
        () => index.remove({ ids: ['a'] }),
        () => index.search([{ vector: X }], 1),
        () => index.scan({ limit: 1 }),
        () => index.stats(),
      ]
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      await cleanUp()
    })
  })

  it(`${name} deviates only where the contract has a test`, () => expect([...left]).toEqual([]))
}
