import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readBeirSet } from '../../src/evaluation/beir.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'beir-'))
  await writeFile(
    join(folder, 'corpus.jsonl'),
    '{"_id":"1","title":" T ","text":"one"}\n{"_id":2,"text":"two"}\n',
  )
  await writeFile(join(folder, 'queries.jsonl'), '{"_id":"q1","text":"q"}\n{"_id":"q2","text":"unjudged"}\n')
  await writeFile(join(folder, 'qrels.tsv'), 'query-id\tcorpus-id\tscore\nq1\t2\t1\nq1\t1\t0\n')
})
afterEach(() => rm(folder, { recursive: true }))

test('reads documents, judged queries and grades', async () => {
  const set = await readBeirSet(folder)
  expect(set.documents).toEqual([
    { id: '1', title: 'T', text: 'one' },
    { id: '2', title: null, text: 'two' },
  ])
  expect(set.queries).toEqual([{ id: 'q1', text: 'q' }])
  expect(set.judgements.get('q1')).toEqual(
    new Map([
      ['2', 1],
      ['1', 0],
    ]),
  )
})

test("reads BEIR's qrels/test.tsv and trec's four columns", async () => {
  await rm(join(folder, 'qrels.tsv'))
  await mkdir(join(folder, 'qrels'))
  await writeFile(join(folder, 'qrels', 'test.tsv'), 'q1\t0\t2\t2\r\n')
  expect((await readBeirSet(folder)).judgements.get('q1')).toEqual(new Map([['2', 2]]))
})

test.each([
  ['corpus.jsonl', '{"_id":"1"}\n', /corpus\.jsonl: line 1 lacks _id or text/],
  ['corpus.jsonl', '{"_id":"1","text":"a"}\n{nope\n', /line 2 is not JSON/],
  ['qrels.tsv', 'q1\t1\t1\nq1 1 1\n', /line 2 is not/],
  ['queries.jsonl', '', /no query of queries\.jsonl is judged/],
])('says what is wrong with %s', async (file, content, message) => {
  await writeFile(join(folder, file), content)
  await expect(readBeirSet(folder)).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringMatching(message),
  })
})

test('says which file is missing', async () => {
  await rm(join(folder, 'corpus.jsonl'))
  await expect(readBeirSet(folder)).rejects.toThrow(/corpus\.jsonl/)
})
