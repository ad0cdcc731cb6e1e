import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  atEveryDepth,
  judgedOrder,
  METRIC_NAMES,
  METRICS,
  MeanScores,
  ndcg,
  recall,
  type Scores,
} from '../../../../src/tools/evaluate/figures/retrieval-metrics.ts'
import { terminalTable } from '../../../../src/tools/evaluate/report/terminal-table.ts'
import { REPORT } from '../report/example-report.ts'

interface Golden {
  judgements: Record<string, Record<string, number>>
  runs: Record<string, Record<string, number>>
  expected: Record<string, Scores>
  means: Scores
}

const golden: Golden = JSON.parse(
  readFileSync(new URL('../../../fixtures/evaluation/trec-eval.json', import.meta.url), 'utf8'),
)
const judgementsOf = (query: string) => new Map(Object.entries(golden.judgements[query]!))
const ranking = (query: string) =>
  judgedOrder(Object.entries(golden.runs[query] ?? {}).map(([id, score]) => ({ id, score })))

test('every figure of every query equals pytrec_eval to 4 digits: ties, grades, deep and short runs', () => {
  const queries = Object.keys(golden.expected)
  expect(queries).toEqual(expect.arrayContaining(['q3', 'deep', 'float32', 'unicode', 'short', 'negative']))
  for (const query of queries) {
    expect(Object.keys(golden.expected[query]!)).toEqual(METRIC_NAMES)
    for (const name of METRIC_NAMES) {
      const { of, depth } = METRICS[name]
      const value = of(ranking(query), judgementsOf(query), depth)
      expect(value, `${query} ${name}`).toBeCloseTo(golden.expected[query]![name], 4)
    }
  }
})

test('the means that are printed are those of trec_eval -c', () => {
  const means = new MeanScores()
  for (const query of Object.keys(golden.judgements)) {
    means.add(atEveryDepth(ranking(query)), judgementsOf(query))
  }
  const table = terminalTable({ ...REPORT, exact: means.means() })
  for (const name of METRIC_NAMES) {
    expect(means.means()[name]).toBeCloseTo(golden.means[name], 9)
    expect(table).toMatch(new RegExp(`${name} +${golden.means[name].toFixed(4)} `))
  }
})

test('each figure looks at the ranking of its own depth', () => {
  const means = new MeanScores()
  means.add({ 10: ['no', 'x'], 100: [], 1000: ['x'] }, new Map([['x', 1]]))
  expect(means.means()).toEqual({
    'ndcg@10': 1 / Math.log2(3),
    'mrr@10': 0.5,
    'recall@10': 1,
    'recall@100': 0,
    'recall@1000': 1,
  })
})

test('hand-computed nDCG: grades 3 and 1, found at ranks 2 and 3', () => {
  const judgements = new Map(Object.entries({ a: 3, b: 1, c: 0 }))
  const expected = (3 / Math.log2(3) + 1 / 2) / (3 + 1 / Math.log2(3))
  expect(ndcg(['c', 'a', 'b'], judgements, 10)).toBeCloseTo(expected, 12)
  expect(recall(['c', 'a'], judgements, 10)).toBe(0.5)
})

test('no figure can leave 0 to 1: a ranking with a document twice is refused', () => {
  const judgements = new Map([['a', 1]])
  for (const { of } of Object.values(METRICS)) {
    expect(() => of(['b', 'a', 'a'], judgements, 10)).toThrow(/document a twice/)
  }
  expect(ndcg(['a', 'b', 'a'], judgements, 2)).toBe(1)
})
