import { expect, test } from 'vitest'
import { markdownTable } from '../../../../src/tools/evaluate/report/markdown-table.ts'
import { notes } from '../../../../src/tools/evaluate/report/report.ts'
import { terminalTable } from '../../../../src/tools/evaluate/report/terminal-table.ts'
import { REPORT } from './example-report.ts'

test('the terminal shows every figure: model, index, their difference, BM25', () => {
  const table = terminalTable(REPORT)
  expect(table).toMatch(/ndcg@10 +0\.6667 +0\.6000 +0\.0667 +0\.5000\n/)
  expect(table).toMatch(/recall@1000 +0\.6667/)
  expect(table).toContain('95.00 % of the exact ten nearest')
  expect(table).toMatch(/embed +1\.23 +5\.00 +9\.00/)
  expect(table).toMatch(/swapped +EBAE +EBAR +0\.2500/)
  expect(table).toMatch(/documents +0\.990000 +0\.987654 +6/)
  expect(table).toContain('0.6666 -> 0.6543 (-0.0123)')
  expect(terminalTable({ ...REPORT, ann_loss: { ...REPORT.ann_loss, 'ndcg@10': -1e-9 } })).not.toContain(
    '-0.0000',
  )
})

test('markdown is one table of all sets with the command that made it', () => {
  const { bm25, prompts, drift, ...bare } = REPORT
  const markdown = markdownTable([REPORT, { ...bare, set: 'other' }], 'npm run evaluate -- words other')
  const rows = markdown.split('\n').filter((line) => line.startsWith('|'))
  expect(rows[0]!.split('|')).toHaveLength(rows[2]!.split('|').length)
  expect(rows[2]).toBe('| words | 6 / 2 | 0.667 | 0.600 | 0.333 | 0.167 | 0.667 | 0.667 | 95.0 % | 0.500 |')
  expect(rows[3]).toContain('| other |')
  expect(markdown).toContain('`npm run evaluate -- words other`')
  expect(markdown).toContain('| words | fp32 | 0.99000 | 0.99500 | 0.98765 | 0.667 | 0.654 |')
})

test('says what must be known: lost documents, prompts that do not win, no graph used', () => {
  expect(notes(REPORT)).toEqual([
    expect.stringContaining('3 judged documents are not in the corpus (first: lost)'),
    expect.stringContaining(
      'The right prompts do not win here: nDCG@10 0.5000 against 0.6250 (ebae on both)',
    ),
  ])
  const { prompts, ...bare } = REPORT
  const other = { ...bare, corpus: null, missingQueries: 1, hopelessQueries: 2, paths: ['exact'] }
  expect(notes(other)).toEqual([
    expect.stringContaining('1 queries of the qrels'),
    expect.stringContaining('2 queries have no relevant document'),
    expect.stringContaining('EXACT_SCORING_MAX'),
  ])
})

test('notes say how repeated judgements and queries that are documents were counted', () => {
  const said = notes({ ...REPORT, rejudged: 3, sameIdLeftOut: true }).join('\n')
  expect(said).toContain('3 pairs are judged more than once')
  expect(said).toContain("the query's own id is left out")
})
