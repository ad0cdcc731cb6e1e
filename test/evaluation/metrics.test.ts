import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  judgedOrder,
  METRICS,
  type MetricName,
  meanScores,
  ndcg,
  recall,
} from '../../src/evaluation/metrics.ts'

interface Golden {
  judgements: Record<string, Record<string, number>>
  runs: Record<string, Record<string, number>>
  expected: Record<string, Record<MetricName, number>>
}

const golden: Golden = JSON.parse(
  readFileSync(new URL('../fixtures/evaluation/trec-eval.json', import.meta.url), 'utf8'),
)
const ranking = (query: string) =>
  judgedOrder(Object.entries(golden.runs[query] ?? {}).map(([id, score]) => ({ id, score })))

test('every figure equals pytrec_eval to 4 digits, ties included', () => {
  const queries = Object.keys(golden.expected)
  expect(queries.length).toBeGreaterThan(30)
  for (const query of queries) {
    const judgements = new Map(Object.entries(golden.judgements[query]!))
    for (const [name, measure] of Object.entries(METRICS)) {
      const value = measure(ranking(query), judgements)
      expect(value, `${query} ${name}`).toBeCloseTo(golden.expected[query]![name as MetricName], 4)
    }
  }
})

test('a judged query without results lowers the mean', () => {
  const judged = new Map([
    ['a', new Map([['x', 1]])],
    ['b', new Map([['y', 1]])],
  ])
  const scores = meanScores(new Map([['a', ['x']]]), judged)
  expect(scores).toEqual({ 'ndcg@10': 0.5, 'mrr@10': 0.5, 'recall@10': 0.5, 'recall@100': 0.5 })
})

test('hand-computed nDCG: grades 3 and 1, found at ranks 2 and 3', () => {
  const judgements = new Map([
    ['a', 3],
    ['b', 1],
    ['c', 0],
  ])
  const expected = (3 / Math.log2(3) + 1 / 2) / (3 + 1 / Math.log2(3))
  expect(ndcg(['c', 'a', 'b'], judgements, 10)).toBeCloseTo(expected, 12)
  expect(recall(['c', 'a'], judgements, 10)).toBe(0.5)
})
