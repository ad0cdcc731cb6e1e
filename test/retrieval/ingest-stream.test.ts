import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import type { IndexedDocument } from '../../src/index/document.ts'
import type { CallOptions, UpsertResult } from '../../src/index/document-index.ts'
import { type EmbeddedEngineOptions, startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION } from '../../src/index/index-engine.ts'
import { type IngestWatch, REPORT_ENTRIES_MAX } from '../../src/retrieval/ingest-report.ts'
import { type IngestLine, ingestStream } from '../../src/retrieval/ingest-stream.ts'
import type { Retrieval } from '../../src/retrieval/retrieval.ts'
import { ExactIndex } from '../oracle/exact-index.ts'
import { openParts } from './parts.ts'

const BATCH = 4
let parts: Retrieval
beforeAll(async () => {
  parts = await openParts({ ingestBatchDocuments: BATCH })
})
afterAll(() => parts.encoder.close())

const withExactIndex = (): Retrieval => ({ ...parts, index: new ExactIndex(parts.index.dimensions) })
const options = { truncate: 'end' as const, signal: new AbortController().signal }

async function withEmbeddedIndex(limits: EmbeddedEngineOptions['limits'] = {}): Promise<Retrieval> {
  const dataDir = await mkdtemp(join(tmpdir(), 'llara-stream-'))
  const engine = await startEmbeddedEngine({ dataDir, limits })
  onTestFinished(async () => {
    await engine.close()
    await rm(dataDir, { recursive: true, force: true })
  })
  const { dimensions } = parts.index
  return { ...parts, index: await engine.open(DEFAULT_COLLECTION, { dimensions, fingerprint: 'a' }) }
}

const countOf = async ({ index }: Retrieval) => (await index.stats()).documents

async function* documents(
  count: number,
  onPull?: (line: number) => Promise<void>,
  metadata = {},
): AsyncGenerator<IngestLine> {
  for (let line = 1; line <= count; line++) {
    await onPull?.(line)
    yield { line, document: { id: `d${line}`, text: `text ${line}`, metadata }, bytes: 20 }
  }
}

test('an index that fails in the middle ends the stream and says what is safe', async () => {
  const retrieval = await withEmbeddedIndex({ databaseBytesMax: 400_000 })
  const large = { filler: 'x'.repeat(5000) }
  const failure = await ingestStream(retrieval, documents(1000, undefined, large), options).catch(
    (error) => error,
  )
  const stored = await countOf(retrieval)
  expect(stored).toBeGreaterThanOrEqual(2 * BATCH)
  expect(stored % BATCH).toBe(0)
  expect(failure).toMatchObject({
    code: 'STORE_UNUSABLE',
    details: { committedLines: stored, created: stored },
  })
})

/** Takes two documents at once, and none whose text says so. */
class PickyIndex extends ExactIndex {
  override async upsert(documents: readonly IndexedDocument[], options?: CallOptions): Promise<UpsertResult> {
    if (documents.some(({ document }) => document.text.includes('bad'))) {
      throw new ServiceError('INVALID_INPUT', 'The index does not take this document.')
    }
    if (documents.length > 2) throw new ServiceError('TOO_LARGE', 'More than 2 documents.')
    return super.upsert(documents, options)
  }
}

test('what the index refuses is the fault of its line, and the lines around it are stored', async () => {
  const retrieval = { ...parts, index: new PickyIndex(parts.index.dimensions) }
  const bad = new Set([2, 7, 8, 11])
  async function* lines(): AsyncGenerator<IngestLine> {
    for (let line = 1; line <= 11; line++) {
      yield { line, document: { id: `d${line}`, text: bad.has(line) ? 'bad' : 'good' }, bytes: 10 }
    }
  }
  const summary = await ingestStream(retrieval, lines(), options)
  expect(summary).toMatchObject({ created: 7, failed: 4, lastLine: 11 })
  expect(summary.errors.map(({ line, code }) => [line, code])).toEqual(
    [...bad].map((n) => [n, 'INVALID_INPUT']),
  )
  expect(summary.ids).toEqual(['d1', 'd3', 'd4', 'd5', 'd6', 'd9', 'd10'])
})

test('vectors that the index cannot take are faults of their lines', async () => {
  const { encoder, index } = parts
  const narrow = new ExactIndex(index.dimensions - 1)
  const summary = await ingestStream({ ...parts, encoder, index: narrow }, documents(6), options)
  expect(summary).toMatchObject({ created: 0, failed: 6, lastLine: 6 })
  expect(summary.errors.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6])
})

test('reading stays a bounded number of batches ahead of the index', async () => {
  const retrieval = await withEmbeddedIndex()
  let ahead = 0
  const look = async (line: number) => {
    ahead = Math.max(ahead, line - (await countOf(retrieval)))
  }
  const summary = await ingestStream(retrieval, documents(200, look), options)
  expect(summary).toMatchObject({ created: 200, lastLine: 200 })
  expect(ahead).toBeGreaterThan(BATCH)
  expect(ahead).toBeLessThanOrEqual(4 * BATCH + 1)
})

test('an aborted stream does not wait for its next line', async () => {
  const retrieval = withExactIndex()
  const controller = new AbortController()
  async function* stalls(): AsyncGenerator<IngestLine> {
    yield* documents(6)
    setImmediate(() => controller.abort())
    await new Promise(() => {})
  }
  const failure = await ingestStream(retrieval, stalls(), { ...options, signal: controller.signal }).catch(
    (e) => e,
  )
  expect(failure).toMatchObject({ code: 'ABORTED' })
  expect((await countOf(retrieval)) % BATCH).toBe(0)
})

test('lists are bounded, totals count on', async () => {
  const faulty = REPORT_ENTRIES_MAX + 200
  async function* lines(): AsyncGenerator<IngestLine> {
    for (let line = 1; line <= faulty; line++) {
      yield { line, error: new ServiceError('INVALID_INPUT', 'The line is not valid JSON.') }
    }
    yield { line: faulty + 1, document: { text: 'fine' }, bytes: 10 }
  }
  const summary = await ingestStream(withExactIndex(), lines(), options)
  expect(summary).toMatchObject({ created: 1, failed: faulty, lastLine: faulty + 1 })
  expect(summary.errors).toHaveLength(REPORT_ENTRIES_MAX)
})

test('who watches hears of every batch once it is stored, in order, and of every fault', async () => {
  const retrieval = withExactIndex()
  async function* lines(): AsyncGenerator<IngestLine> {
    for await (const line of documents(20)) {
      yield line.line % 2 === 0 ? line : { line: line.line, error: new ServiceError('INVALID_INPUT', 'odd') }
    }
  }
  const faults: number[] = []
  const reached: [number, number][] = []
  const watch: IngestWatch = {
    fault: ({ line }) => void faults.push(line),
    async reached({ lastLine, created }) {
      reached.push([lastLine, created])
      expect(await countOf(retrieval)).toBe(created)
    },
  }
  await ingestStream(retrieval, lines(), { ...options, watch })
  // Faulty lines fill a batch, too.
  expect(reached).toEqual([4, 8, 12, 16, 20].map((line) => [line, line / 2]))
  expect(faults.toSorted((a, b) => a - b)).toEqual([1, 3, 5, 7, 9, 11, 13, 15, 17, 19])
})
