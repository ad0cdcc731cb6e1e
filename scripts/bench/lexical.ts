/** Measures search by words: `npm run bench -- lexical --documents 100000 --text texts.jsonl`. */
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text, wholeNumber, withDefault } from '../../src/cli/option.ts'
import { FIRST_SETTINGS } from '../../src/index/collection-settings.ts'
import type { Probe } from '../../src/index/document-index.ts'
import { connectForCopy } from '../../src/index/embedded/database/connection.ts'
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { wordsDdl } from '../../src/index/embedded/lexical/words-table.ts'
import { DEFAULT_COLLECTION } from '../../src/index/index-engine.ts'
import { limitsFrom } from '../../src/limits.ts'
import { checkDocument } from '../../src/retrieval/checks/check-document.ts'
import { INGEST_LIMITS, TEXT_LIMITS } from '../../src/retrieval/limits.ts'
import { asOnePassage } from '../../src/retrieval/passages/passage-text.ts'
import { benchCall } from './call.ts'

const COUNT = [1, 10_000_000] as const
const { given } = benchCall({
  name: 'lexical',
  about: 'Search by words, by vectors and by both at once, storing, and the size of the file.',
  options: {
    documents: withDefault(wholeNumber('N', COUNT, 'documents'), 10_000),
    queries: withDefault(wholeNumber('N', COUNT, 'searches that are measured'), 200),
    text: text(
      'FILE',
      'JSON lines with `text`, cut into documents; words made up by the law of Zipf where absent',
    ),
  },
})
const DIMENSIONS = 384
const CHARACTERS = 800
const BATCH = 256
const WORDS = 50_000
const QUERY_WORDS = 9

let state = 42
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return state / 2 ** 32
}

function vector(): Float32Array {
  const values = Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5)
  const norm = Math.hypot(...values)
  return values.map((value) => value / norm)
}

async function* texts(): AsyncGenerator<string> {
  if (given.text === undefined) {
    for (;;) {
      const words = Array.from({ length: 120 }, () => `w${Math.floor(WORDS ** random()).toString(36)}`)
      yield words.join(' ')
    }
  }
  for await (const line of createInterface({ input: createReadStream(given.text) })) {
    const { text: whole } = JSON.parse(line) as { text: string }
    for (let at = 0; at < whole.length; at += CHARACTERS)
      yield whole.slice(at, at + CHARACTERS).toWellFormed()
  }
}

function note(name: string, value: number, unit: string): void {
  console.log(`${name.padEnd(40)} ${Number(value.toPrecision(4))} ${unit}`)
}

function noteTimes(name: string, ms: number[]): void {
  ms.sort((a, b) => a - b)
  note(`${name}, p50`, ms[Math.floor(ms.length / 2)] ?? 0, 'ms')
  note(`${name}, p99`, ms[Math.floor(ms.length * 0.99)] ?? 0, 'ms')
}

const limits = { ...limitsFrom(TEXT_LIMITS), ...limitsFrom(INGEST_LIMITS) }
const dataDir = await mkdtemp(join(tmpdir(), 'bench-lexical-'))
const engine = await startEmbeddedEngine({ dataDir })
try {
  console.log(`${cpus()[0]?.model}, ${cpus().length} cores, load ${loadavg()[0]}, node ${process.version}`)
  const index = await engine.open(DEFAULT_COLLECTION, { dimensions: DIMENSIONS, fingerprint: 'bench' })
  const stored: string[] = []
  for await (const passage of texts()) {
    if (stored.length === given.documents) break
    if (passage.trim() !== '') stored.push(passage)
  }
  let began = performance.now()
  for (let at = 0; at < stored.length; at += BATCH) {
    const batch = stored.slice(at, at + BATCH).map((passage, i) => {
      return asOnePassage(
        checkDocument({ id: `d${at + i}`, text: passage }, 'document', limits, FIRST_SETTINGS),
        vector(),
      )
    })
    await index.upsert(batch)
  }
  const ingestMs = performance.now() - began
  note('documents', stored.length, '')
  note('stored, durable and searchable', stored.length / (ingestMs / 1000), 'documents/s')
  const alone = connectForCopy(join(dataDir, 'words-alone.sqlite'))
  alone.exec(wordsDdl('english'))
  const insert = alone.prepare('INSERT INTO words (rowid, text) VALUES (?, ?)')
  began = performance.now()
  for (let at = 0; at < stored.length; at += BATCH) {
    const insertAll = () => {
      for (const [i, passage] of stored.slice(at, at + BATCH).entries()) insert.run(1 + at + i, passage)
    }
    alone.transaction(insertAll)()
  }
  note('  of that, the index of words', (100 * (performance.now() - began)) / ingestMs, '%')
  alone.close()
  note('file', (await stat(join(dataDir, 'store.sqlite'))).size / 2 ** 20, 'MiB')
  note('  index of words', (await stat(join(dataDir, 'words-alone.sqlite'))).size / 2 ** 20, 'MiB')

  const queries = Array.from({ length: given.queries }, () => {
    const words = stored[Math.floor(random() * stored.length)]!.split(/\s+/)
    const from = Math.floor(random() * Math.max(1, words.length - QUERY_WORDS))
    return { terms: words.slice(from, from + QUERY_WORDS).join(' '), vector: vector() }
  })
  const time = async (name: string, probesOf: (query: (typeof queries)[number]) => Probe[]) => {
    const ms: number[] = []
    for (const query of queries) {
      const at = performance.now()
      await Promise.all(probesOf(query).map((probe) => index.search([probe], 10, { fields: [] })))
      ms.push(performance.now() - at)
    }
    noteTimes(name, ms)
  }
  await time('lexical, first time', ({ terms }) => [{ terms }])
  await time('lexical, again', ({ terms }) => [{ terms }])
  await time('dense', ({ vector: probe }) => [{ vector: probe }])
  await time('both at once', ({ terms, vector: probe }) => [{ terms }, { vector: probe }])
} finally {
  await engine.close()
  await rm(dataDir, { recursive: true, force: true })
}
