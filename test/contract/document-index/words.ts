import { expect } from 'vitest'
import type { SearchOptions } from '../../../src/index/document-index.ts'
import { parseFilter } from '../../../src/retrieval/checks/parse-filter.ts'
import { indexed } from '../../index/documents.ts'
import { wordScores } from '../../oracle/word-scores.ts'
import { type Bench, type ContractTest, v, X } from './bench.ts'

function titled(id: string, title: string | null, text: string, metadata = {}) {
  return indexed({ id, title, text, metadata }, X)
}

async function found(bench: Bench, terms: string, k = 10, options: SearchOptions = {}) {
  const [result] = await bench.index.search([{ terms }], k, options)
  return result!.hits
}

async function ids(bench: Bench, terms: string, k = 10, options: SearchOptions = {}): Promise<string[]> {
  return (await found(bench, terms, k, options)).map(({ id }) => id)
}

/** Finding documents by their words, over a collection whose analysis is `plain`. */
export function byWords(contractTest: ContractTest): void {
  contractTest('scores words by BM25, exactly', async (bench) => {
    const documents = [
      titled('a', 'Tides', 'The sea rises and falls, rises and falls.'),
      titled('b', null, 'The sea.'),
      titled('c', 'The sea and the tides', 'Nothing more is said about them here, at some length.'),
      titled('d', 'Bread', 'The dough rises; cafés sell it.'),
      titled('e', null, ''),
    ]
    await bench.index.upsert(documents)
    const given = documents.map(({ document }) => document)
    for (const query of ['sea', 'the SEA rises', 'tides', 'sea sea dough', 'CAFE\u0301S nothing', 'the']) {
      const expected = wordScores(query, given)
      const hits = await found(bench, query, 10, { fields: [] })
      expect(hits).toHaveLength(expected.filter((score) => score > 0).length)
      for (const { id, score, kind } of hits) {
        expect(kind).toBe('bm25')
        expect(score).toBeCloseTo(expected[given.findIndex((other) => other.id === id)]!, 6)
      }
      const scores = hits.map(({ score }) => score)
      expect(scores).toEqual(scores.toSorted((a, b) => b - a))
    }
  })

  contractTest('takes any text for words', async (bench) => {
    await bench.index.upsert([
      titled('a', null, 'near and or not x_y "quoted" a\u0000b'),
      titled('b', null, 'star* (bracket) caf\u00e9 title:text'),
      titled('c', null, '日本語 text ١٢٣'),
    ])
    for (const [query, expected] of [
      ['', []],
      [' \n\t', []],
      ['*', []],
      ['"', []],
      ['(((', []],
      ['\u0000', []],
      ['😀', []],
      ['-- ; . !', []],
      ['"near', ['a']],
      ['NEAR(', ['a']],
      ['AND OR NOT', ['a']],
      ['x_y', ['a']],
      ['a\u0000b', ['a']],
      ['star*', ['b']],
      ['sta*', []],
      ['title:zzz', ['b']],
      ['^cafe', ['b']],
      ['{bracket} + -', ['b']],
      ['日本語', ['c']],
      ['日本', []],
      ['١٢٣', ['c']],
      ["'; DROP TABLE words; --", []],
      [`${'nothing '.repeat(1024)}star`, ['b']],
    ] as const) {
      expect([query, await ids(bench, query)]).toEqual([query, expected])
    }
  })

  contractTest('orders ties of words by id, by code point', async (bench) => {
    const tied = ['b', 'a', '\u{1f600}', '\uff5e', 'B', 'aa']
    await bench.index.upsert(tied.map((id) => titled(id, null, 'same words')))
    expect(await ids(bench, 'words')).toEqual(['B', 'a', 'aa', 'b', '\uff5e', '\u{1f600}'])
    expect(await ids(bench, 'words', 2)).toEqual(['B', 'a'])
  })

  contractTest('gives k hits by words whenever k documents match, floors and fields alike', async (bench) => {
    const documents = Array.from({ length: 60 }, (_, i) =>
      titled(`d${i}`, null, `common ${i % 3 === 0 ? 'rare '.repeat(1 + (i % 5)) : ''}`, {
        even: i % 2 === 0,
      }),
    )
    await bench.index.upsert(documents)
    await bench.index.remove({ ids: documents.slice(0, 20).map(({ document }) => document.id) })
    expect(await ids(bench, 'common rare', 100)).toHaveLength(40)
    expect(await ids(bench, 'rare', 100)).toHaveLength(13)
    const filter = parseFilter({ even: true })
    expect(await ids(bench, 'common', 20, { filter })).toHaveLength(20)
    expect(await ids(bench, 'common', 100, { filter })).toHaveLength(20)
    const all = await found(bench, 'rare common', 40)
    const floor = all[7]!.score
    const atLeast = all.filter(({ score }) => score >= floor)
    expect(await found(bench, 'rare common', 40, { floor })).toEqual(atLeast)
    const [hit] = await found(bench, 'rare', 1, { fields: ['metadata'] })
    expect(hit?.document).toEqual({ metadata: expect.anything() })
  })

  contractTest('forgets the words of what is replaced or removed', async (bench) => {
    await bench.index.upsert([titled('a', 'old', 'word'), titled('b', null, 'old')])
    await bench.index.upsert([titled('a', null, 'new')])
    expect(await ids(bench, 'old')).toEqual(['b'])
    expect(await ids(bench, 'word new')).toEqual(['a'])
    await bench.index.remove({ ids: ['b'] })
    expect(await ids(bench, 'old')).toEqual([])
    const [{ score } = { score: 0 }] = await found(bench, 'new')
    expect(score).toBeCloseTo(wordScores('new', [{ id: 'a', title: null, text: 'new', metadata: {} }])[0]!, 6)
  })

  contractTest('shows the passage that the words fit best', async (bench) => {
    const text = 'The moon. The sea and the tide. The tide, the high tide!'
    const long = indexed({ id: 'long', title: 'moon', text, metadata: {} }, X, X, X)
    const spans = [
      { start: 0, end: 10 },
      { start: 10, end: 32 },
      { start: 32, end: text.length },
    ]
    const passages = long.passages.map(({ vector }, i) => ({ vector, span: spans[i]! }))
    await bench.index.upsert([{ ...long, passages }, titled('other', null, 'sea')])
    for (const [query, ordinal] of [
      ['moon', 0],
      ['sea', 1],
      ['high tide', 2],
      ['tide', 2],
      ['sea high', 2],
    ] as const) {
      const hit = (await found(bench, query)).find(({ id }) => id === 'long')
      expect([query, hit?.passage]).toEqual([query, { ordinal, ...spans[ordinal] }])
    }
  })

  contractTest('answers vectors and words of one batch, each in its place', async (bench) => {
    await bench.index.upsert([
      indexed({ id: 'x', title: null, text: 'north', metadata: {} }, v(1, 0, 0, 0)),
      indexed({ id: 'y', title: null, text: 'south', metadata: {} }, v(0, 1, 0, 0)),
    ])
    const probes = [{ terms: 'south' }, { vector: X }, { terms: 'north' }, { vector: v(0, 1, 0, 0) }]
    const results = await bench.index.search(probes, 1)
    expect(results.map(({ hits }) => hits.map(({ id, kind }) => [id, kind]))).toEqual([
      [['y', 'bm25']],
      [['x', 'cosine']],
      [['x', 'bm25']],
      [['y', 'cosine']],
    ])
  })

  contractTest('says where words stand in texts', async ({ index }) => {
    const texts = [
      'The SEA, the se\u0301a; seas: sea',
      '',
      'nothing',
      'a\u0000sea \u{1f600} sea\ue000',
      'sea '.repeat(9000),
    ]
    const found = await index.highlight('sea "*', texts)
    const cut = texts.slice(0, 4).map((text, i) => found[i]!.map(({ start, end }) => text.slice(start, end)))
    expect(cut).toEqual([['SEA', 'se\u0301a', 'sea'], [], [], ['sea']])
    expect(found[4]).toHaveLength(9000)
    expect(found[4]?.at(-1)).toEqual({ start: 8999 * 4, end: 8999 * 4 + 3 })
    expect(await index.highlight('...', texts)).toEqual(texts.map(() => []))
    expect(await index.highlight('sea', [])).toEqual([])
  })
}
