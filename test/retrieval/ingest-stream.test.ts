import { afterAll, beforeAll, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { REPORT_ENTRIES_MAX } from '../../src/retrieval/ingest-report.ts'
import { type IngestLine, ingestStream } from '../../src/retrieval/ingest-stream.ts'
import type { Retrieval } from '../../src/retrieval/retrieval.ts'
import { openExactStore } from '../oracle/exact-index.ts'
import { openParts } from './parts.ts'

let parts: Retrieval
beforeAll(async () => {
  parts = await openParts({ ingestBatchDocuments: 4 })
})
afterAll(() => parts.encoder.close())

const withStore = (): Retrieval => ({
  ...parts,
  store: openExactStore({ dimensions: parts.store.dimensions }),
})
const options = { truncate: 'end' as const, signal: new AbortController().signal }

async function* documents(count: number, onPull?: (line: number) => void): AsyncGenerator<IngestLine> {
  for (let line = 1; line <= count; line++) {
    onPull?.(line)
    yield { line, document: { id: `d${line}`, text: `text ${line}` }, bytes: 20 }
  }
}

test('a store that fails in the middle ends the stream and tells what is safe', async () => {
  const retrieval = withStore()
  const { store } = retrieval
  const upsert = store.upsert.bind(store)
  let batches = 0
  store.upsert = async (batch) => {
    if (++batches === 3) throw new ServiceError('STORE_UNUSABLE', 'The disk is full.')
    return upsert(batch)
  }
  const failure = await ingestStream(retrieval, documents(1000), options).catch((error) => error)
  expect(failure).toMatchObject({ code: 'STORE_UNUSABLE', details: { committedLines: 8, created: 8 } })
  expect(await store.count()).toBe(8)
  expect(batches).toBe(3)
})

test('reading stays a bounded number of batches ahead of the store', async () => {
  const retrieval = withStore()
  const { store } = retrieval
  const upsert = store.upsert.bind(store)
  let pulled = 0
  let ahead = 0
  store.upsert = async (batch) => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    ahead = Math.max(ahead, pulled - (await store.count()))
    return upsert(batch)
  }
  const summary = await ingestStream(
    retrieval,
    documents(200, (line) => {
      pulled = line
    }),
    options,
  )
  expect(summary).toMatchObject({ created: 200, lastLine: 200 })
  expect(ahead).toBeLessThanOrEqual(4 * 4)
})

test('an aborted stream does not wait for its next line', async () => {
  const retrieval = withStore()
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
  expect((await retrieval.store.count()) % 4).toBe(0)
})

test('lists are bounded, totals count on', async () => {
  const faulty = REPORT_ENTRIES_MAX + 200
  async function* lines(): AsyncGenerator<IngestLine> {
    for (let line = 1; line <= faulty; line++) {
      yield { line, error: new ServiceError('INVALID_INPUT', 'The line is not valid JSON.') }
    }
    yield { line: faulty + 1, document: { text: 'fine' }, bytes: 10 }
  }
  const summary = await ingestStream(withStore(), lines(), options)
  expect(summary).toMatchObject({ created: 1, failed: faulty, lastLine: faulty + 1 })
  expect(summary.errors).toHaveLength(REPORT_ENTRIES_MAX)
})
