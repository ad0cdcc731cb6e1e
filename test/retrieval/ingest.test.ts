import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CheckedDocument } from '../../src/index/document.ts'
import { packDocuments } from '../../src/index/embedded/pack.ts'
import { ingest } from '../../src/retrieval/ingest.ts'
import type { Retrieval } from '../../src/retrieval/retrieval.ts'
import { openParts } from './parts.ts'

let parts: Retrieval
beforeAll(async () => {
  parts = await openParts({})
})
afterAll(() => parts.encoder.close())

/** About as much metadata as a body may hold. */
const metadata = Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`k${i}`, 1]))
const documents = Array.from({ length: 120 }, (_, i) => ({ id: `d${i}`, text: 'a', title: null, metadata }))

/** Turns of the event loop that others have until `work` has ended. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0
  let timer = setImmediate(function count() {
    turns++
    timer = setImmediate(count)
  })
  await work
  clearImmediate(timer)
  return turns
}

test('others have their turn while many documents are checked', async () => {
  const given = [...documents, { text: '' }]
  const refused = expect(ingest(parts, given, { truncate: 'end' })).rejects.toMatchObject({
    details: { field: 'documents[120].text' },
  })
  expect(await turnsDuring(refused)).toBeGreaterThan(5)
})

test('others have their turn while many documents are made ready for the index', async () => {
  const indexed = documents.map((document) => ({
    document: document as unknown as CheckedDocument,
    passages: [{ span: { start: 0, end: 1 }, vector: Float32Array.of(1) }],
  }))
  const packing = packDocuments(indexed, 1)
  expect(await turnsDuring(packing)).toBeGreaterThan(3)
  expect((await packing).documents).toHaveLength(documents.length)
})
