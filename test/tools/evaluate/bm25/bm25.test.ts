import { expect, test } from 'vitest'
import { Bm25 } from '../../../../src/tools/evaluate/bm25/bm25.ts'
import { judgeBm25 } from '../../../../src/tools/evaluate/bm25/judge-bm25.ts'
import { judgedSet } from '../small-set.ts'

test('hand-computed: idf, saturation and length', () => {
  const index = new Bm25(['cats'])
  index.add('a', 'cat cat dog')
  index.add('b', 'a cat')
  index.add('c', 'dog')
  const idf = Math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
  const score = (count: number, length: number) =>
    (idf * count * 1.9) / (count + 0.9 * (1 - 0.4 + (0.4 * length) / 2))
  const hits = index.search('cats', 10).sort((x, y) => (x.id < y.id ? -1 : 1))
  expect(hits.map(({ id }) => id)).toEqual(['a', 'b'])
  expect(hits[0]!.score).toBeCloseTo(score(2, 3), 12)
  expect(hits[1]!.score).toBeCloseTo(score(1, 2), 12)
})

test('a word twice in the query counts twice; endings, case and punctuation do not matter', () => {
  const index = new Bm25(['Relational!', 'relate relate', 'nothing'])
  index.add('a', '(relating)')
  index.add('b', 'other')
  const [once] = index.search('Relational!', 1)
  const [twice] = index.search('relate relate', 1)
  expect(twice!.score).toBeCloseTo(2 * once!.score, 12)
  expect(index.search('nothing', 1)).toEqual([])
})

test('the k best come back, with those that tie with the last', () => {
  const index = new Bm25(['fish'])
  for (let i = 0; i < 20; i++) index.add(`d${i}`, i === 7 ? 'fish fish' : i < 10 ? 'fish word' : 'word word')
  expect(index.search('fish', 1).map(({ id }) => id)).toEqual(['d7'])
  expect(index.search('fish', 2)).toHaveLength(10)
})

test('is judged as a model is', async () => {
  const set = judgedSet({
    q: { text: 'the violin', grades: { d2: 1 } },
    none: { text: 'zebra', grades: { d1: 1 } },
  })
  const figures = await judgeBm25(set)
  expect(figures['recall@10']).toBe(0.5)
  expect(figures['recall@1000']).toBe(0.5)
  expect(figures.parameters).toEqual({ k1: 0.9, b: 0.4, stemmer: 'porter' })
})
