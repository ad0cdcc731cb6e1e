import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readJudgements } from '../../../../src/tools/evaluate/judged-set/qrels.ts'

const folder = mkdtempSync(join(tmpdir(), 'qrels-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function read(content: string) {
  const file = join(folder, 'qrels.tsv')
  writeFileSync(file, content)
  const { judgements, rejudged } = await readJudgements(file)
  const grades = [...judgements].map(([query, ofQuery]) => [query, Object.fromEntries(ofQuery)])
  return { grades: Object.fromEntries(grades), rejudged }
}

test.each([
  ['three columns', 'q1\td1\t1\nq1\td2\t0\n'],
  ["BEIR's heading", 'query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\n'],
  ['another heading', 'qid\tdocid\trelevance\nq1\td1\t1\nq1\td2\t0\n'],
  ['tabs at the ends of lines', 'q1\td1\t1\t\nq1\td2\t0\t\t\n'],
  ["trec's four columns", 'q1\t0\td1\t1\nq1\tQ0\td2\t0\n'],
  ["trec's four columns with blanks", 'q1 0 d1 1\nq1  0   d2 0\n'],
  ['Windows lines, a byte order mark and blank lines', '\uFEFFq1\td1\t1\r\n\r\nq1\td2\t0\r\n'],
  ['blanks around a score', 'q1\td1\t 1\nq1\td2\t0 \n'],
  ['scores written as 1.0', 'q1\td1\t1.0\nq1\td2\t0.0'],
])('reads %s', async (_name, content) => {
  expect(await read(content)).toEqual({ grades: { q1: { d1: 1, d2: 0 } }, rejudged: 0 })
})

test('a first line with a tab too many is a judgement, not a heading', async () => {
  expect((await read('q1\td1\t3\t\nq1\td2\t1\n')).grades).toEqual({ q1: { d1: 3, d2: 1 } })
})

test('ids are taken as they are written, digits beyond 2^53 too', async () => {
  const grades = { ' q1': { 'd 1 ': 1, '9007199254740993': -1 } }
  expect((await read(' q1\td 1 \t1\n q1\t9007199254740993\t-1\n')).grades).toEqual(grades)
})

test('of pairs judged twice the last counts, and those that differ are counted', async () => {
  const content = 'q1\td1\t1\nq1\td1\t2\nq1\td1\t0\nq1\td2\t1\nq1\td2\t1\n'
  expect(await read(content)).toEqual({ grades: { q1: { d1: 0, d2: 1 } }, rejudged: 1 })
})

test.each([
  ['q1\td1\t1\nq1 d1 1\n', /:2: 1 columns where line 1 has 3/],
  ['q1 d1 1\n', /:1: not "query-id/],
  ['q1\td1\n', /:1: not/],
  ['q1\td1\thigh\n', /:1: not/],
  ['q1\td1\t\n', /:1: not/],
  ['q1\td1\t0.5\n', /:1: not/],
  ['q1\td1\t0x10\n', /:1: not/],
  ['q1\td1\t1e3\n', /:1: not/],
  ['q1\td1\t1000001\n', /:1: not .* of at most 1000000/],
  ['\td1\t1\n', /:1: not/],
  ['q1\td1\t1\nq1\td1\t1\tnote\n', /:2: 4 columns where line 1 has 3/],
  ['query-id\tcorpus-id\tscore\nq1\t0\td1\t1\n', /:2: 4 columns where line 1 has 3/],
  ['q1\td1\t1\nquery-id\tcorpus-id\tscore\n', /:2: not/],
  ['query-id\tcorpus-id\tscore\n', /qrels\.tsv: it holds no judgement/],
  ['', /qrels\.tsv: it holds no judgement/],
])('refuses %j', async (content, message) => {
  await expect(read(content)).rejects.toMatchObject({
    code: 'INPUT_UNUSABLE',
    message: expect.stringMatching(message),
  })
})
