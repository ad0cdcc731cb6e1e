import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type BeirOptions, readBeirSet } from '../../../../src/tools/evaluate/judged-set/beir-set.ts'
import { surveyCorpus } from '../../../../src/tools/evaluate/judged-set/corpus-survey.ts'
import { sampleTexts } from '../../../../src/tools/evaluate/judged-set/text-sample.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'beir-'))
  await write('corpus.jsonl', '{"_id":"1","title":" T ","text":"one"}\n{"_id":2,"text":"two"}\n')
  await write('queries.jsonl', '{"_id":"q1","text":"q"}\n{"_id":"q2","text":"unjudged"}\n')
  await write('qrels.tsv', 'query-id\tcorpus-id\tscore\nq1\t2\t1\nq1\t1\t0\n')
})
afterEach(() => rm(folder, { recursive: true }))

const write = (name: string, content: string | Buffer) => writeFile(join(folder, name), content)

async function readAll(options: BeirOptions = {}) {
  const set = await readBeirSet(folder, options)
  const documents = []
  for await (const document of set.documents()) documents.push(document)
  return { ...set, documents }
}

test('reads documents, judged queries and grades', async () => {
  const set = await readAll()
  expect(set.documents).toEqual([
    { line: 1, id: '1', title: 'T', text: 'one' },
    { line: 2, id: '2', title: null, text: 'two' },
  ])
  expect(set.queries).toEqual([{ id: 'q1', text: 'q' }])
  expect(set.judgements.get('q1')).toEqual(new Map(Object.entries({ 2: 1, 1: 0 })))
  expect(set.missingQueries).toBe(0)
})

test('a document without text is its title', async () => {
  await write('corpus.jsonl', '\uFEFF{"_id":"1","title":"T","text":" "}\r\n\r\n{"_id":"2","text":""}\r\n')
  expect((await readAll()).documents).toEqual([
    { line: 1, id: '1', title: null, text: 'T' },
    { line: 3, id: '2', title: null, text: '' },
  ])
})

test('a text of invisible characters is as good as none', async () => {
  const lines = [
    { _id: '1', title: 'T', text: '\u200B' },
    { _id: '2', title: '\u00AD', text: '\u2060 \u2800' },
  ]
  await write('corpus.jsonl', lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  await write('queries.jsonl', '{"_id":"q1","text":"q"}\n{"_id":"q2","text":"\u200B"}\n')
  await write('qrels.tsv', 'q1\t1\t1\nq2\t1\t1\n')
  const set = await readBeirSet(folder)
  expect(set.queries).toEqual([{ id: 'q1', text: 'q' }])
  expect(await surveyCorpus(set)).toMatchObject({ documents: 1, empty: 1, unknown: 0 })
  expect((await sampleTexts(set)).documents).toEqual([{ id: '1', text: 'T' }])
})

test("reads BEIR's qrels/<split>.tsv and trec's four columns", async () => {
  await mkdir(join(folder, 'qrels'))
  await write('qrels/test.tsv', 'query-id\tcorpus-id\tscore\nq1\t2\t2\n')
  await write('qrels/dev.tsv', 'q2\t0\t1\t1\r\n')
  expect((await readAll({ split: 'test' })).judgements.get('q1')).toEqual(new Map([['2', 2]]))
  expect((await readAll({ split: 'dev' })).judgements).toEqual(new Map([['q2', new Map([['1', 1]])]]))
  await rm(join(folder, 'qrels.tsv'))
  expect((await readAll()).judgements.get('q1')).toEqual(new Map([['2', 2]]))
  await expect(readAll({ split: 'train' })).rejects.toThrow(/no qrels.train\.tsv; --split can be dev, test/)
})

test('a document may have a title only, and ids stay as they are written', async () => {
  await write('corpus.jsonl', '{"_id":"1","title":"T"}\n{"_id":" 1","title":null,"text":"one"}\n')
  await write('qrels.tsv', 'q1\t 1\t1\n')
  const set = await readAll()
  expect(set.documents).toEqual([
    { line: 1, id: '1', title: null, text: 'T' },
    { line: 2, id: ' 1', title: null, text: 'one' },
  ])
  expect(set.judgements.get('q1')).toEqual(new Map([[' 1', 1]]))
})

test('a judged query without text is not asked; one that nobody judged does not matter', async () => {
  await write(
    'queries.jsonl',
    '{"_id":"q1","text":"q"}\n{"_id":"q2","text":" "}\n{"_id":"q3"}\n{"_id":"q4"}\n',
  )
  await write('qrels.tsv', 'q1\t2\t1\nq2\t1\t1\nq3\t1\t1\n')
  const set = await readAll()
  expect(set.queries).toEqual([{ id: 'q1', text: 'q' }])
  expect(set.missingQueries).toBe(2)
})

test('line separators and the like inside a string do not end a line', async () => {
  const text = 'one\u2028two\u2029three\u0085four'
  await write('corpus.jsonl', `${JSON.stringify({ _id: '1', text })}\r\n`)
  expect((await readAll()).documents).toEqual([{ line: 1, id: '1', title: null, text }])
})

test('counts judged queries that have no text, and keeps the first ones asked for', async () => {
  await write('qrels.tsv', 'q1\t2\t1\nq2\t1\t1\nq9\t1\t1\n')
  const set = await readAll({ queriesMax: 1 })
  expect(set.missingQueries).toBe(1)
  expect([...set.judgements.keys()]).toEqual(['q1'])
  expect(set.queries).toHaveLength(1)
})

test.each([
  ['corpus.jsonl', '{"_id":"1"}\n', /corpus\.jsonl:1: lacks title and text/],
  ['corpus.jsonl', '{"text":"a"}\n', /corpus\.jsonl:1: lacks _id/],
  ['corpus.jsonl', '{"_id":"","text":"a"}\n', /corpus\.jsonl:1: lacks _id/],
  ['corpus.jsonl', '{"_id":"1","text":5}\n', /corpus\.jsonl:1: text is not a string/],
  ['corpus.jsonl', '{"_id":"1","text":"a","title":["b"]}\n', /corpus\.jsonl:1: title is not a string/],
  ['corpus.jsonl', '{"_id":9007199254740993,"text":"a"}\n', /corpus\.jsonl:1: .*cannot be kept exactly/],
  ['corpus.jsonl', '{"_id":1.5,"text":"a"}\n', /corpus\.jsonl:1: .*cannot be kept exactly/],
  [
    'corpus.jsonl',
    '{"_id":"1","text":"a"}\n{"_id":"2","text":"b"}\n{"_id":"1","text":"a"}\n',
    /corpus\.jsonl:3: the document 1 is there twice/,
  ],
  ['corpus.jsonl', '{"_id":"1","text":"a"}\n{"_id":1,"text":"b"}\n', /corpus\.jsonl:2: .*twice/],
  [
    'corpus.jsonl',
    Buffer.from('{"_id":"1","text":"a"}\n{"_id":"2","text":"\xe9"}\n', 'latin1'),
    /:2: not UTF-8/,
  ],
  ['corpus.jsonl', '{"_id":"1","text":"a"}\n{nope\n', /corpus\.jsonl:2: not JSON/],
  ['corpus.jsonl', '{"_id":"1","text":"a"}\nnull\n', /corpus\.jsonl:2: not a JSON object/],
  ['corpus.jsonl', '\n', /corpus\.jsonl: it holds no document/],
  ['queries.jsonl', '', /no query of queries\.jsonl is judged/],
  ['queries.jsonl', '{"_id":"q1","text":" "}', /no query of queries\.jsonl is judged/],
  ['queries.jsonl', '{"_id":"q1","text":"a"}\n{"_id":"q1","text":"b"}', /queries\.jsonl:2: .*twice/],
])('says what is wrong with %s: %j', async (file, content, message) => {
  await write(file, content)
  await expect(readAll()).rejects.toMatchObject({
    code: 'INPUT_UNUSABLE',
    message: expect.stringMatching(message),
  })
})

test('says which file is missing', async () => {
  await rm(join(folder, 'corpus.jsonl'))
  await expect(readAll()).rejects.toThrow(/corpus\.jsonl: there is no such file/)
  await write('corpus.jsonl.gz', '')
  await expect(readAll()).rejects.toThrow(/corpus\.jsonl: it is there as \.gz only; unpack it/)
})
