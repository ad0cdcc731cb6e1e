import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Chunking } from '../../src/index/collection-settings.ts'
import type { NewDocument } from '../../src/retrieval/checks/check-document.ts'
import { ingest } from '../../src/retrieval/ingest.ts'
import { type IngestLine, ingestStream } from '../../src/retrieval/ingest-stream.ts'
import type { Retrieval } from '../../src/retrieval/retrieval.ts'
import { ExactIndex } from '../oracle/exact-index.ts'
import { openParts } from './parts.ts'

const TOKENS = 32
const LONG = Array.from({ length: 12 }, (_, i) => `The keeper wrote down day ${i}.`).join(' ')

let parts: Retrieval
beforeAll(async () => {
  parts = await openParts()
})
afterAll(() => parts.encoder.close())

async function collection(
  chunking: Partial<Chunking> = {},
  limits: Partial<Retrieval['limits']> = {},
): Promise<Retrieval> {
  const index = new ExactIndex(parts.index.dimensions)
  const settings = { kind: 'passages', tokens: TOKENS, overlap: 0, title: true, ...chunking } as Chunking
  await index.configure({ chunking: settings })
  return { ...parts, index, limits: { ...parts.limits, ...limits } }
}

const store = (retrieval: Retrieval, ...documents: NewDocument[]) =>
  ingest(retrieval, documents, { truncate: 'end' })

async function stream(retrieval: Retrieval, documents: NewDocument[], truncate: 'end' | 'error' = 'end') {
  async function* lines(): AsyncGenerator<IngestLine> {
    for (const [i, document] of documents.entries()) yield { line: i + 1, document, bytes: 100 }
  }
  return ingestStream(retrieval, lines(), { truncate, signal: new AbortController().signal })
}

async function passagesOf({ index }: Retrieval, id: string): Promise<string[]> {
  const [[document], [passages]] = await Promise.all([index.get([id]), index.passages([id])])
  return passages!.map(({ span }) => document!.text!.slice(span.start, span.end))
}

/** What the model reads of a title and a passage, in tokens. */
const tokensOf = async (title: string, passages: string[]) =>
  Math.max(...(await parts.encoder.countTokens(passages.map((passage) => `${title}${passage}`))))

test('a long document becomes passages, a short one stays whole', async () => {
  const retrieval = await collection()
  const short = { id: 'short', title: 'Log', text: ' Wind. Rain. ' }
  const result = await store(retrieval, { id: 'long', title: 'Log', text: LONG }, short)
  const passages = await passagesOf(retrieval, 'long')
  expect(passages.length).toBeGreaterThan(3)
  expect(passages.join(' ')).toBe(LONG)
  expect(await tokensOf('Log ', passages)).toBeLessThanOrEqual(TOKENS)
  expect(await passagesOf(retrieval, 'short')).toEqual([short.text])
  expect(result).toMatchObject({ created: 2, passages: passages.length + 1, truncated: [] })

  const streamed = await collection()
  const summary = await stream(streamed, [{ id: 'long', title: 'Log', text: LONG }, short])
  expect(summary).toMatchObject({ created: 2, passages: passages.length + 1, truncated: [] })
  expect(await streamed.index.passages(['long'])).toEqual(await retrieval.index.passages(['long']))
})

test('the vector of a passage is that of its title and text', async () => {
  for (const title of [true, false]) {
    const retrieval = await collection({ title })
    await store(retrieval, { id: 'a', title: 'Log', text: LONG })
    const [found] = await retrieval.index.passages(['a'])
    const [first] = await passagesOf(retrieval, 'a')
    const { vectors } = await parts.encoder.encode([title ? `Log ${first}` : first!], ['ebae'])
    const most = Math.max(...vectors.ebae[0]!.map((value, i) => Math.abs(value - found![0]!.vector[i]!)))
    expect(most).toBeLessThan(1e-4)
  }
})

test('a title longer than half a passage is cut, and said to be', async () => {
  const retrieval = await collection()
  const document = { id: 'a', title: LONG, text: LONG }
  const { truncated } = await store(retrieval, document)
  expect(truncated).toEqual(['a'])
  expect((await passagesOf(retrieval, 'a')).join(' ')).toBe(LONG)
  await expect(ingest(retrieval, [document], { truncate: 'error' })).rejects.toMatchObject({
    code: 'TEXT_TOO_LONG',
    details: { field: 'documents[0].title', limit: TOKENS / 2 },
  })
  const summary = await stream(retrieval, [document, { id: 'b', text: LONG }], 'error')
  expect(summary).toMatchObject({ created: 1, failed: 1, errors: [{ line: 1, code: 'TEXT_TOO_LONG' }] })
})

test('more passages than a document or a request may have are refused', async () => {
  const few = await collection({}, { passagesPerDocumentMax: 3 })
  await expect(store(few, { text: 'Short.' }, { text: LONG })).rejects.toMatchObject({
    code: 'TOO_LARGE',
    message: expect.stringContaining('PASSAGES_PER_DOCUMENT_MAX'),
    details: { field: 'documents[1].text', limit: 3 },
  })
  expect(await few.index.count()).toBe(0)
  expect(await stream(few, [{ text: LONG }, { text: 'Short.' }])).toMatchObject({
    created: 1,
    errors: [{ line: 1, code: 'TOO_LARGE' }],
  })
  const request = await collection({}, { passagesPerRequestMax: 6 })
  await expect(store(request, { text: LONG }, { text: LONG })).rejects.toMatchObject({
    code: 'TOO_LARGE',
    message: expect.stringContaining('PASSAGES_PER_REQUEST_MAX'),
  })
})

test('a stream stores what fits into memory at once, in the order of its lines', async () => {
  const retrieval = await collection({}, { ingestBatchPassages: 5 })
  const sizes: number[] = []
  const upsert = retrieval.index.upsert.bind(retrieval.index)
  retrieval.index.upsert = (documents, options) => {
    sizes.push(documents.reduce((sum, { passages }) => sum + passages.length, 0))
    return upsert(documents, options)
  }
  const documents = Array.from({ length: 6 }, (_, i) => ({ id: `d${i}`, text: i % 2 ? LONG : 'Short.' }))
  const summary = await stream(retrieval, documents)
  expect(summary.ids).toEqual(documents.map(({ id }) => id))
  const one = (await passagesOf(retrieval, 'd1')).length
  expect(Math.max(...sizes)).toBeLessThanOrEqual(5 + one)
  expect(sizes.filter((size) => size > 0).length).toBeGreaterThanOrEqual(3)
})

test('what was cut for other settings is cut again before it is stored', async () => {
  const retrieval = await collection()
  const { encoder } = retrieval
  let changed = false
  const changing: Retrieval = {
    ...retrieval,
    encoder: {
      ...encoder,
      card: encoder.card,
      device: encoder.device,
      countTokens: (...call) => encoder.countTokens(...call),
      async encode(...call) {
        const result = await encoder.encode(...call)
        if (!changed) await retrieval.index.configure({ chunking: { kind: 'whole' } })
        changed = true
        return result
      },
      stats: () => encoder.stats(),
      onDeath: () => {},
      close: async () => {},
    },
  }
  await store(changing, { id: 'json', text: LONG })
  expect(await passagesOf(retrieval, 'json')).toEqual([LONG])
  await retrieval.index.configure({
    chunking: { kind: 'passages', tokens: TOKENS, overlap: 0, title: true },
  })
  changed = false
  expect(await stream(changing, [{ id: 'line', text: LONG }])).toMatchObject({ created: 1, passages: 1 })
  expect(await passagesOf(retrieval, 'line')).toEqual([LONG])
})
