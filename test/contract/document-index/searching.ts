import { expect } from 'vitest'
import { parseFilter } from '../../../src/retrieval/checks/parse-filter.ts'
import { idsOf, indexed } from '../../index/documents.ts'
import { type ContractTest, doc, v, X } from './bench.ts'

/** What is found, in which order, and how many. */
export function searching(contractTest: ContractTest): void {
  contractTest('ranks by cosine, larger first', async (bench) => {
    const { index } = bench
    await index.upsert([
      doc('opposite', v(-1, 0, 0, 0)),
      doc('near', v(2, 1, 0, 0)),
      doc('same', v(1, 0, 0, 0)),
      doc('across', v(0, 1, 0, 0)),
    ])
    const [result] = await bench.search([X], 4)
    expect(result?.hits.map((hit) => hit.id)).toEqual(['same', 'near', 'across', 'opposite'])
    const scores = result?.hits.map((hit) => hit.score) ?? []
    for (const [i, expected] of [1, 2 / Math.sqrt(5), 0, -1].entries()) {
      expect(scores[i]).toBeCloseTo(expected, 6)
    }
    expect(result?.hits[0]?.document).toEqual({
      text: 'text of same',
      title: 'title of same',
      metadata: {},
    })
  })

  contractTest('answers each vector of a batch in its place', async (bench) => {
    const { index } = bench
    await index.upsert([doc('x', v(1, 0, 0, 0)), doc('y', v(0, 1, 0, 0))])
    const results = await bench.search([v(0, 1, 0, 0), X, v(0, 1, 0, 0)], 1, { fields: [] })
    expect(results.map(({ hits }) => hits)).toMatchObject([
      [{ id: 'y', score: 1 }],
      [{ id: 'x', score: 1 }],
      [{ id: 'y', score: 1 }],
    ])
    expect(results[0]?.hits[0]).not.toHaveProperty('document')
  })

  contractTest('reads the fields that are asked for', async (bench) => {
    await bench.index.upsert([doc('x', X)])
    const [result] = await bench.search([X], 1, { fields: ['title', 'metadata'] })
    expect(result?.hits[0]?.document).toEqual({ title: 'title of x', metadata: {} })
  })

  contractTest('takes vectors of any length and scores their direction', async (bench) => {
    const { index } = bench
    await index.upsert([doc('a', Float32Array.of(30, 40, 0, 0))])
    const [result] = await bench.search([Float32Array.of(0.003, 0.004, 0, 0)], 1)
    expect(result?.hits[0]?.score).toBeCloseTo(1, 6)
    const [passages] = await index.passages(['a'])
    expect([...(passages?.[0]?.vector ?? [])]).toEqual([Math.fround(0.6), Math.fround(0.8), 0, 0])
  })

  contractTest('orders ties by id, by code point', async (bench) => {
    const { index } = bench
    const tied = ['b', 'a', '\u{1f600}', '\uff5e', 'B', 'aa']
    await index.upsert(tied.map((id) => doc(id)))
    expect(await bench.ids(X, 10)).toEqual(['B', 'a', 'aa', 'b', '\uff5e', '\u{1f600}'])
    expect(await bench.ids(X, 2)).toEqual(['B', 'a'])
  })

  contractTest('gives k hits whenever k documents match', async (bench) => {
    const { index } = bench
    const documents = Array.from({ length: 60 }, (_, i) =>
      doc(`d${i}`, v(1, i, i * i, 1), { even: i % 2 === 0 }),
    )
    await index.upsert(documents)
    await index.remove({ ids: idsOf(documents.slice(0, 20)) })
    expect(await bench.ids(X, 40)).toHaveLength(40)
    expect(await bench.ids(X, 100)).toHaveLength(40)
    expect(await bench.ids(X, 20, { filter: parseFilter({ even: true }) })).toHaveLength(20)
    expect(await bench.ids(X, 5, { tuning: { ef: 1 } })).toHaveLength(5)
    expect(await bench.ids(X, 40, { tuning: { exact: true } })).toEqual(await bench.ids(X, 40))
  })

  contractTest('leaves out what scores less than the floor', async (bench) => {
    const { index } = bench
    await index.upsert([doc('a', v(1, 0, 0, 0)), doc('b', v(1, 1, 0, 0)), doc('c', v(0, 1, 0, 0))])
    expect(await bench.ids(X, 10, { floor: 0.5 })).toEqual(['a', 'b'])
    expect(await bench.ids(X, 10, { floor: 1.5 })).toEqual([])
    expect(await bench.ids(X, 10, { floor: -7 })).toHaveLength(3)
  })

  contractTest('says that it scored everything when asked to', async (bench) => {
    const { index } = bench
    await index.upsert([doc('a')])
    expect((await bench.search([X], 1, { tuning: { exact: true } }))[0]?.path).toBe('exact')
  })

  contractTest('filters searches, scans and removals alike', async (bench) => {
    const { index } = bench
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
      expect((await bench.ids(X, 10, { filter }))?.sort()).toEqual(expected)
      expect((await index.scan({ limit: 10, filter })).documents.map(({ id }) => id)).toEqual(expected)
    }
    expect(await index.remove({ filter: parseFilter({ lang: 'de' }) })).toEqual({ removed: 2 })
    expect(await bench.ids(X, 10)).toEqual(['a', 'd'])
  })

  contractTest('finds a document by its best passage, and counts documents', async (bench) => {
    const { index } = bench
    const [x, y, z] = [v(1, 0, 0, 0), v(0, 1, 0, 0), v(0, 0, 1, 0)]
    const text = 'one two three'
    const long = indexed({ id: 'long', title: null, text, metadata: { long: true } }, x, y, v(1, 1, 0, 0))
    await index.upsert([long, doc('short', v(3, 4, 0, 0)), doc('other', z)])
    expect(await index.stats()).toMatchObject({ documents: 3, passages: 5 })
    for (const options of [{}, { tuning: { exact: true } }, { filter: parseFilter({ long: true }) }]) {
      const [first] = await bench.search([y], 1, options)
      expect(first?.hits).toMatchObject([
        { id: 'long', score: 1, kind: 'cosine', passage: { ordinal: 1, start: 4, end: 8 } },
      ])
    }
    expect(await bench.ids(x, 3)).toEqual(['long', 'short', 'other'])
    expect(await bench.ids(x, 10)).toEqual(['long', 'short', 'other'])
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
    expect(await bench.ids(y, 3)).toEqual(['short', 'long', 'other'])
    expect(await index.remove({ filter: parseFilter({ long: true }) })).toEqual({ removed: 1 })
    expect(await index.stats()).toMatchObject({ documents: 2, passages: 2 })
  })

  contractTest('gives k documents though some have many passages', async (bench) => {
    const { index } = bench
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
    expect(await bench.ids(X, 15)).toEqual(first)
    expect(await bench.ids(X, 15, { tuning: { exact: true } })).toEqual(first)
  })
}
