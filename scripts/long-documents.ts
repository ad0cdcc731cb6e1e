/**
 * A judged set of long documents from one of sentences: `tsx scripts/long-documents.ts SET OUT`. Sentences that follow
 * each other in SET become one document; the queries are those whose sentence begins past what llara-mini reads.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BodyTokenizer } from '../src/model/tokenizer/body-tokenizer.ts'

const SENTENCES = 60
/** Of the queries, so that the set is judged in minutes. */
const EVERY = 10
const TOKENS_READ = 512

interface Row {
  _id: string
  text: string
}

const [set, out] = process.argv.slice(2)
if (!set || !out) throw new Error('usage: tsx scripts/long-documents.ts SET OUT')
const rowsOf = (file: string): Row[] =>
  readFileSync(join(set, file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)

const tokenizer = BodyTokenizer.load(
  readFileSync(new URL('../models/llara-mini/tokenizer.json', import.meta.url), 'utf8'),
)
const sentences = rowsOf('corpus.jsonl')
const tokens = (await tokenizer.encode(sentences.map(({ text }) => text))).map(({ length }) => length)
const documentOf = new Map<string, string>()
const late = new Set<string>()
const corpus: Row[] = []
for (let start = 0; start < sentences.length; start += SENTENCES) {
  const part = sentences.slice(start, start + SENTENCES)
  const document = { _id: `long${corpus.length}`, text: part.map(({ text }) => text).join(' ') }
  let before = 0
  for (const [i, { _id }] of part.entries()) {
    documentOf.set(_id, document._id)
    if (before >= TOKENS_READ) late.add(_id)
    before += tokens[start + i]!
  }
  corpus.push(document)
}
const judgements = readFileSync(join(set, 'qrels.tsv'), 'utf8').trim().split('\n').slice(1)
const asked = new Map<string, string>()
for (const [query, sentence] of judgements.map((line) => line.split('\t'))) {
  if (late.has(sentence!)) asked.set(query!, documentOf.get(sentence!)!)
}
const queries = rowsOf('queries.jsonl')
  .filter(({ _id }) => asked.has(_id))
  .filter((_, i) => i % EVERY === 0)
mkdirSync(out, { recursive: true })
const lines = (rows: readonly Row[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
writeFileSync(join(out, 'corpus.jsonl'), lines(corpus))
writeFileSync(join(out, 'queries.jsonl'), lines(queries))
const qrels = queries.map(({ _id }) => `${_id}\t${asked.get(_id)}\t1\n`).join('')
writeFileSync(join(out, 'qrels.tsv'), `query-id\tcorpus-id\tscore\n${qrels}`)
process.stdout.write(`${corpus.length} documents, ${queries.length} queries\n`)
