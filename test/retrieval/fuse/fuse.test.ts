import { describe, expect, test } from 'vitest'
import type { Hit } from '../../../src/index/document-index.ts'
import { type Fusion, fuse as fuseAsked } from '../../../src/retrieval/fuse/fuse.ts'

/** Unless said, each leg brought as many as it was asked for. */
const fuse = (legs: { dense: Hit[]; lexical: Hit[] }, fusion: Fusion, asked = 0) =>
  fuseAsked({ ...legs, asked }, fusion)

const ranking = (kind: Hit['kind'], scores: Record<string, number>, ordinal = 0): Hit[] =>
  Object.entries(scores).map(([id, score]) => ({ id, score, kind, passage: { ordinal, start: 0, end: 1 } }))
const cosines = (scores: Record<string, number>) => ranking('cosine', scores)
const bm25 = (scores: Record<string, number>) => ranking('bm25', scores, 7)

describe('reciprocal rank fusion', () => {
  const fusion = { method: 'rrf', k: 60 } as const

  test('is the sum of 1 / (k + rank), and says where each leg put a document', () => {
    const hits = fuse({ dense: cosines({ a: 0.9, b: 0.8 }), lexical: bm25({ b: 12, c: 3 }) }, fusion)
    expect(hits.map(({ id }) => id)).toEqual(['b', 'a', 'c'])
    expect(hits[0]).toMatchObject({
      legs: { dense: { rank: 2, score: 0.8 }, lexical: { rank: 1, score: 12 } },
    })
    expect(hits[0]!.score).toBeCloseTo(1 / 61 + 1 / 62, 12)
    expect(hits[2]).toMatchObject({ score: 1 / 62, legs: { lexical: { rank: 2, score: 3 } } })
    expect(hits[1]!.legs).toEqual({ dense: { rank: 1, score: 0.9 } })
  })

  test('equal scores are in the order of ids', () => {
    const hits = fuse({ dense: cosines({ b: 0.9 }), lexical: bm25({ a: 5 }) }, fusion)
    expect(hits.map(({ id }) => id)).toEqual(['a', 'b'])
  })

  test('a small k lets a first rank win over two fourth ones', () => {
    const dense = cosines({ a: 9, c: 8, d: 7, b: 6 })
    const lexical = bm25({ x: 9, y: 8, z: 7, b: 6 })
    expect(fuse({ dense, lexical }, { method: 'rrf', k: 60 })[0]?.id).toBe('b')
    expect(fuse({ dense, lexical }, { method: 'rrf', k: 1 })[0]?.id).toBe('a')
  })
})

describe('weighted scores', () => {
  const legs = { dense: cosines({ a: 0.9, b: 0.7, c: 0.5 }), lexical: bm25({ c: 30, b: 20, d: 10 }) }

  test('each leg counts from 0 to 1 over its candidates', () => {
    const hits = fuse(legs, { method: 'weighted', weight: 0.6 })
    expect(hits.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
    for (const [i, score] of [0.6, 0.5, 0.4, 0].entries()) expect(hits[i]!.score).toBeCloseTo(score, 12)
  })

  test('the whole weight on a leg is that leg', () => {
    const first = (weight: number) => fuse(legs, { method: 'weighted', weight }).map(({ id }) => id)
    expect(first(1).slice(0, 2)).toEqual(['a', 'b'])
    expect(first(0).slice(0, 2)).toEqual(['c', 'b'])
  })

  test('where words found fewer than was asked for, no other document has any: they count from 0', () => {
    const found = { dense: cosines({ a: 0.9, b: 0.5 }), lexical: bm25({ b: 10, c: 9 }) }
    const scoreOf = (id: string, asked: number) =>
      fuse(found, { method: 'weighted', weight: 0.5 }, asked).find((hit) => hit.id === id)!.score
    expect(scoreOf('c', 2)).toBe(0)
    expect(scoreOf('c', 3)).toBeCloseTo(0.45, 12)
  })

  test('candidates that are equal are all first', () => {
    const [only] = fuse({ dense: cosines({ a: 0.1 }), lexical: [] }, { method: 'weighted', weight: 0.6 })
    expect(only!.score).toBe(0.6)
  })
})

describe('z-scores', () => {
  const fusion = { method: 'zscore', weight: 0.5 } as const

  test('each leg counts in standard deviations over the candidates of both', () => {
    const legs = { dense: cosines({ a: 0.9, b: 0.7, c: 0.5 }), lexical: bm25({ c: 30, b: 20, d: 10 }) }
    const hits = fuse(legs, fusion)
    // 0.4, 0.2, 0, 0 above the floor, and 20, 10, 0, 0.
    const deviation = Math.sqrt((0.25 ** 2 + 0.05 ** 2 + 2 * 0.15 ** 2) / 4)
    const score = (height: number) => (0.5 * height) / deviation
    for (const [id, height] of Object.entries({ a: 0.4, b: 0.2 + 0.2, c: 0.4, d: 0 })) {
      expect(hits.find((hit) => hit.id === id)!.score).toBeCloseTo(score(height), 9)
    }
  })

  test('a leg whose first candidate stands out counts for more than one that finds all alike', () => {
    const alike = cosines(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`d${i}`, 0.5 - i / 1000])))
    const outstanding = bm25({
      x: 20,
      ...Object.fromEntries(alike.slice(10).map(({ id }, i) => [id, 3 - i / 1000])),
    })
    expect(fuse({ dense: alike, lexical: outstanding }, fusion)[0]?.id).toBe('x')
    const turned = { dense: bm25({ x: 20 }).concat(alike.slice(0, 10)), lexical: alike.slice(10) }
    expect(fuse(turned, fusion)[0]?.id).toBe('x')
  })
})

test('a leg without candidates leaves the other as it is', () => {
  const dense = cosines({ a: 0.9, b: 0.7 })
  for (const method of ['weighted', 'zscore', 'rrf'] as const) {
    const fusion = method === 'rrf' ? { method, k: 60 } : { method, weight: 0.5 }
    expect(fuse({ dense, lexical: [] }, fusion).map(({ id }) => id)).toEqual(['a', 'b'])
    expect(fuse({ dense: [], lexical: [] }, fusion)).toEqual([])
  }
})

test('the passage shown is that of the leg that says most for the document', () => {
  const legs = { dense: cosines({ x: 0.9, a: 0.8 }), lexical: bm25({ a: 5 }) }
  expect(fuse(legs, { method: 'rrf', k: 60 }).find(({ id }) => id === 'a')!.passage.ordinal).toBe(7)
})
