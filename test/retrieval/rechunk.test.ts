import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Chunking } from '../../src/index/collection-settings.ts'
import { ingest } from '../../src/retrieval/ingest.ts'
import { type RechunkPage, rechunk } from '../../src/retrieval/passages/rechunk.ts'
import type { Retrieval } from '../../src/retrieval/retrieval.ts'
import { ExactIndex } from '../oracle/exact-index.ts'
import { openParts } from './parts.ts'

const CHUNKING: Chunking = { kind: 'passages', tokens: 32, overlap: 0, title: true }
const LONG = Array.from({ length: 12 }, (_, i) => `The keeper wrote down day ${i}.`).join(' ')
const PAGE = 2

let parts: Retrieval
beforeAll(async () => {
  parts = await openParts({ ingestBatchDocuments: PAGE, ingestBatchPassages: 5 })
})
afterAll(() => parts.encoder.close())

/** Five long documents with a vector each. */
async function collection(): Promise<Retrieval> {
  const retrieval = { ...parts, index: new ExactIndex(parts.index.dimensions) }
  const documents = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, text: LONG, metadata: { n: 1 } }))
  await ingest(retrieval, documents, { truncate: 'end' })
  await retrieval.index.configure({ chunking: CHUNKING })
  return retrieval
}

/** Runs `meanwhile` once, when the first texts have been embedded. */
function meanwhile(retrieval: Retrieval, work: () => Promise<unknown>): Retrieval {
  let done = false
  const { encoder } = retrieval
  return {
    ...retrieval,
    encoder: {
      card: encoder.card,
      device: encoder.device,
      countTokens: (...call) => encoder.countTokens(...call),
      async encode(...call) {
        const result = await encoder.encode(...call)
        if (!done) {
          done = true
          await work()
        }
        return result
      },
      stats: () => encoder.stats(),
      onDeath: () => {},
      close: async () => {},
    },
  }
}

async function run(retrieval: Retrieval, cursor?: string): Promise<RechunkPage[]> {
  const pages: RechunkPage[] = []
  await rechunk(retrieval, {
    signal: new AbortController().signal,
    ...(cursor !== undefined && { cursor }),
    onFault: (id, error) => expect.fail(`${id}: ${error.message}`),
    async onPage(page) {
      pages.push(page)
    },
  })
  return pages
}

const counts = async ({ index }: Retrieval, ids = ['a', 'b', 'c', 'd', 'e']) =>
  (await index.passages(ids)).map((passages) => passages?.length)

test('every document gets its passages, page by page, and from a cursor on', async () => {
  const retrieval = await collection()
  expect(await counts(retrieval)).toEqual([1, 1, 1, 1, 1])
  const pages = await run(retrieval)
  expect(pages.map(({ documents }) => documents)).toEqual([2, 2, 1])
  const [many] = await counts(retrieval)
  expect(many).toBeGreaterThan(3)
  expect(await counts(retrieval)).toEqual([many, many, many, many, many])

  const resumed = await collection()
  await run(resumed, pages[1]!.cursor!)
  expect(await counts(resumed)).toEqual([1, 1, 1, 1, many])
})

test('what is written meanwhile stays, and is found by passages, too', async () => {
  const retrieval = await collection()
  const { index } = retrieval
  await run(
    meanwhile(retrieval, async () => {
      await index.patch({ ids: ['a'] }, { merge: { n: 2 }, bytesMax: 100, valuesMax: 10 })
      await ingest(retrieval, [{ id: 'b', text: 'Another text.' }], { truncate: 'end' })
      await index.remove({ ids: ['c'] })
    }),
  )
  expect(await index.get(['a', 'b', 'c'])).toMatchObject([
    { text: LONG, metadata: { n: 2 } },
    { text: 'Another text.' },
    undefined,
  ])
  const [many] = await counts(retrieval, ['d'])
  expect(await counts(retrieval)).toEqual([many, 1, undefined, many, many])
})

test('it ends when the settings change again', async () => {
  const retrieval = await collection()
  const work = () => retrieval.index.configure({ chunking: { ...CHUNKING, tokens: 31 } })
  await expect(run(meanwhile(retrieval, work))).rejects.toMatchObject({ code: 'CONFLICT' })
  expect(await counts(retrieval)).toEqual([1, 1, 1, 1, 1])
})
