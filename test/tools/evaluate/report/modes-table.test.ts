import { expect, test } from 'vitest'
import { modesMarkdownTable, modesTerminalTable } from '../../../../src/tools/evaluate/report/modes-table.ts'
import type { ModesReport } from '../../../../src/tools/evaluate/report/report.ts'
import { REPORT } from './example-report.ts'

const percentiles = { p50: 2, p95: 6.5, p99: 9 }
const latency_ms = { embed: percentiles, search: percentiles, request: percentiles }
const figures = (of: number) => ({
  'ndcg@10': of,
  'mrr@10': of / 2,
  'recall@10': of / 4,
  'recall@100': 1,
  latency_ms,
})

function report(set: string, dense: number, hybrid: number): ModesReport {
  const { bm25 } = REPORT
  return { ...REPORT, set, modes: { dense: figures(dense), hybrid: figures(hybrid) }, bm25 }
}

test('a set in several modes, for a terminal', () => {
  const lines = modesTerminalTable(report('words', 0.5, 0.75)).split('\n')
  expect(lines[0]).toContain('words: 6 documents')
  expect(lines.find((line) => line.startsWith('figure'))).toMatch(/dense +hybrid +BM25$/)
  expect(lines.find((line) => line.startsWith('ndcg@10'))).toMatch(/0\.5000 +0\.7500 +0\.5000$/)
  expect(lines.find((line) => line.startsWith('ms p95'))).toMatch(/6\.50 +6\.50$/)
})

test('several sets with their mean, and how to repeat it', () => {
  const table = modesMarkdownTable([report('one', 0.5, 0.75), report('two', 0.25, 0.5)], 'evaluate it')
  expect(table).toContain('`evaluate it`')
  expect(table).toContain('| one | 6 / 2 | 0.500 | 0.750 | 0.500 |')
  expect(table).toContain('| mean |  | 0.375 | 0.625 | 0.500 |')
  expect(table).toContain('| hybrid | 0.625 | 0.313 | 0.156 | 1.000 | 2.0 | 6.5 |')
})
