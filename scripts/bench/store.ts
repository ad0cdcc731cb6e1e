/**
 * Measures the embedded index: `npm run bench -- store --documents 100000 --dimensions 384`.
 * Vectors are clustered at random from a fixed seed; exact scoring in the same run is the yardstick.
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { flag, wholeNumber, withDefault } from '../../src/cli/option.ts'
import { FIRST_SETTINGS } from '../../src/index/collection-settings.ts'
import type { IndexedDocument } from '../../src/index/document.ts'
import type { DocumentIndex, SearchOptions } from '../../src/index/document-index.ts'
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { INDEX_LIMITS } from '../../src/index/embedded/limits.ts'
import { DEFAULT_COLLECTION } from '../../src/index/index-engine.ts'
import { limitsFrom } from '../../src/limits.ts'
import { checkDocument } from '../../src/retrieval/checks/check-document.ts'
import { parseFilter } from '../../src/retrieval/checks/parse-filter.ts'
import { INGEST_LIMITS, TEXT_LIMITS } from '../../src/retrieval/limits.ts'
import { asOnePassage } from '../../src/retrieval/passages/passage-text.ts'
import { benchCall } from './call.ts'

const COUNT = [1, 100_000_000] as const
const { given } = benchCall({
  name: 'store',
  about:
    'The embedded index by itself: storing, searching, filters, searches while documents are stored, memory, start.\n' +
    'Vectors are clustered at random from a fixed seed; exact scoring in the same run is the yardstick.',
  options: {
    documents: withDefault(wholeNumber('N', COUNT, 'documents'), 20_000),
    dimensions: withDefault(wholeNumber('N', COUNT, 'dimensions of a vector'), 384),
    queries: withDefault(wholeNumber('N', COUNT, 'searches that are measured'), 300),
    batch: withDefault(wholeNumber('N', COUNT, 'documents stored at once'), 256),
    json: flag('figures as JSON'),
  },
})
const { documents, dimensions, batch } = given
const K = 10

let state = 42
function random(): number {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/** Unit vectors around a few hundred centres, as texts gather around topics. */
const centres = Array.from({ length: 300 }, () => Float32Array.from({ length: dimensions }, normal))
function vector(): Float32Array {
  const centre = centres[Math.floor(random() * centres.length)]!
  const near = centre.map((value) => value + 0.9 * normal())
  const norm = Math.hypot(...near)
  return near.map((value) => value / norm)
}

const TEXT = 'A passage of about six hundred characters stands here. '.repeat(11)
const LIMITS = { ...limitsFrom(TEXT_LIMITS), ...limitsFrom(INGEST_LIMITS) }
function document(i: number): IndexedDocument {
  const metadata = { n: i, year: 1990 + (i % 35), lang: i % 2 === 0 ? 'en' : 'de', percent: i % 100 }
  const given = { id: `document-${i}`, title: `Title ${i}`, text: `${i} ${TEXT}`, metadata }
  return asOnePassage(checkDocument(given, 'document', LIMITS, FIRST_SETTINGS), vector())
}

function quantile(sorted: number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}

const report: Record<string, string | number> = {}
function note(name: string, value: string | number, unit = ''): void {
  const shown = typeof value === 'number' ? Number(value.toPrecision(4)) : value
  report[name] = shown
  if (!given.json) console.log(`${name.padEnd(46)} ${shown}${unit && ` ${unit}`}`)
}

type Timed = { ids: string[][]; ms: number[]; paths: Set<string> }
async function timeSearches(
  index: DocumentIndex,
  queries: Float32Array[],
  options: SearchOptions | ((i: number) => SearchOptions) = {},
): Promise<Timed> {
  const timed: Timed = { ids: [], ms: [], paths: new Set() }
  for (const [i, query] of queries.entries()) {
    const chosen = typeof options === 'function' ? options(i) : options
    const began = performance.now()
    const [result] = await index.search([{ vector: query }], K, chosen)
    timed.ms.push(performance.now() - began)
    timed.ids.push(result?.hits.map(({ id }) => id) ?? [])
    timed.paths.add(result?.path ?? '')
  }
  timed.ms.sort((a, b) => a - b)
  return timed
}

function noteSearches(name: string, { ms, paths }: Timed): void {
  note(`${name} p50`, quantile(ms, 0.5), `ms (${[...paths].join(', ')})`)
  note(`${name} p99`, quantile(ms, 0.99), 'ms')
}

function recall(found: string[][], truth: string[][]): number {
  const shares = truth.flatMap((ids, i) =>
    ids.length === 0 ? [] : [ids.filter((id) => found[i]?.includes(id)).length / ids.length],
  )
  return shares.reduce((a, b) => a + b, 0) / shares.length
}

/** Resident memory after the collector has run, where it can be called (`node --expose-gc`). */
function residentBytes(): number {
  globalThis.gc?.()
  return process.memoryUsage.rss()
}

const dataDir = await mkdtemp(join(tmpdir(), 'bench-store-'))
async function open() {
  const engine = await startEmbeddedEngine({ dataDir })
  return { engine, index: await engine.open(DEFAULT_COLLECTION, { dimensions, fingerprint: 'bench' }) }
}
try {
  note('machine', `${cpus()[0]?.model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`)
  note('node', `${process.version} ${process.platform}/${process.arch}`)
  note('documents', documents)
  note('dimensions', dimensions)
  const { hnswM: m, hnswEfConstruction, hnswEf, exactScoringMax } = limitsFrom(INDEX_LIMITS)
  note('load of the machine, 1 minute', loadavg()[0] ?? 0)
  note('parameters', `M ${m}, efConstruction ${hnswEfConstruction}, ef ${hnswEf}, k ${K}, batch ${batch}`)

  const before = residentBytes()
  let { engine, index } = await open()
  let insertMs = 0
  const batchMs: number[] = []
  for (let i = 0; i < documents; i += batch) {
    const part = Array.from({ length: Math.min(batch, documents - i) }, (_, j) => document(i + j))
    const began = performance.now()
    await index.upsert(part)
    batchMs.push(performance.now() - began)
    insertMs += batchMs.at(-1)!
  }
  note('insert, durable and searchable', documents / (insertMs / 1000), 'documents/s')
  note(
    'insert, median batch',
    quantile(
      batchMs.sort((a, b) => a - b),
      0.5,
    ),
    'ms',
  )

  const queries = Array.from({ length: given.queries }, vector)
  await timeSearches(index, queries.slice(0, 50))
  const idle = await timeSearches(index, queries)
  noteSearches('search, idle', idle)
  const exactQueries = queries.slice(0, 100)
  const exact = await timeSearches(index, exactQueries, { tuning: { exact: true } })
  noteSearches('search, every vector scored', exact)
  note('exact p50 / hnsw p50', quantile(exact.ms, 0.5) / quantile(idle.ms, 0.5))
  for (const ef of [50, 100, 200, 400]) {
    const found = await timeSearches(index, exactQueries, { tuning: { ef } })
    note(
      `recall@10, ef ${ef}`,
      recall(found.ids, exact.ids),
      `at p50 ${quantile(found.ms, 0.5).toFixed(2)} ms`,
    )
  }
  // Another filter for each query: results kept from the query before would flatter.
  const filters: [string, (i: number) => unknown][] = [
    ['1 % of the documents', (i) => ({ percent: i })],
    ['half of the documents', (i) => ({ n: { $lt: documents / 2 + i } })],
    ['2 % by two conditions', (i) => ({ lang: 'en', percent: { $gte: i, $lt: i + 4 } })],
  ]
  for (const [name, wire] of filters) {
    const found = await timeSearches(index, exactQueries, (i) => ({ filter: parseFilter(wire(i)) }))
    const truth = await timeSearches(index, exactQueries, (i) => ({
      filter: parseFilter(wire(i)),
      tuning: { exact: true },
    }))
    noteSearches(`search, filter on ${name}`, found)
    note('  its recall@10', recall(found.ids, truth.ids))
  }

  let ingesting = true
  let replaced = 0
  const ingest = (async () => {
    for (let i = 0; ingesting; i += batch) {
      await index.upsert(Array.from({ length: batch }, (_, j) => document((i + j) % documents)))
      replaced += batch
    }
  })()
  const began = performance.now()
  const busy: Timed = { ids: [], ms: [], paths: new Set() }
  while (performance.now() - began < 10_000) {
    const some = await timeSearches(index, queries.slice(0, 20))
    busy.ms.push(...some.ms)
    for (const path of some.paths) busy.paths.add(path)
  }
  ingesting = false
  await ingest
  busy.ms.sort((a, b) => a - b)
  noteSearches('search, under ingest', busy)
  note('ingest meanwhile (replacing)', replaced / ((performance.now() - began) / 1000), 'documents/s')

  const per100k = (bytes: number) => ((bytes / 2 ** 20) * 100_000) / documents
  note('resident after ingest, per 100,000 documents', per100k(residentBytes() - before), 'MiB')
  let at = performance.now()
  await engine.close()
  note('close, saving the graph', performance.now() - at, 'ms')
  for (const name of await readdir(dataDir)) {
    const { size } = await stat(join(dataDir, name))
    if (size > 2 ** 20) note(`file ${name.replace(/-[0-9a-f]+\./, '-*.')}`, size / 2 ** 20, 'MiB')
  }
  at = performance.now()
  const cpuBefore = process.cpuUsage()
  ;({ engine, index } = await open())
  note('start with these documents', performance.now() - at, 'ms')
  const cpu = process.cpuUsage(cpuBefore)
  note('  processor time of that start', (cpu.user + cpu.system) / 1000, 'ms')
  noteSearches('search, after the start', await timeSearches(index, queries))
  await engine.close()
  note('exact scoring up to', exactScoringMax, 'matches')
  if (given.json) console.log(JSON.stringify(report, null, 2))
} finally {
  await rm(dataDir, { recursive: true, force: true })
}
