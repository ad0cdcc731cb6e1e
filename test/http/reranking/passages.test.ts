import { expect, test } from 'vitest'
import { openOnnxReranker } from '../../../src/reranker/onnx/onnx-reranker.ts'
import { search } from '../../../src/retrieval/search/search.ts'
import { tinyReranker } from '../../fixtures/tiny-reranker.ts'
import { LIBRARY, openLibrary } from '../hybrid/library.ts'

const QUERY = 'what makes the dough rise'

test('a long document is reranked by its best passage, title first', async () => {
  const folder = await tinyReranker()
  // Two documents whose texts are those of the whole library, in opposite orders.
  const texts = LIBRARY.map(({ text }) => text)
  const documents = [
    { id: 'forth', title: 'Forth', text: texts.join(' ') },
    { id: 'back', title: null, text: texts.toReversed().join(' ') },
  ]
  const settings = { reranker: folder, chunking: 'passages', chunkTokens: 40 } as const
  const library = await openLibrary(documents, settings)
  const reference = await openOnnxReranker({ modelFolder: folder, device: 'cpu' })
  try {
    const { batches } = await search(library.retrieval, {
      target: { kind: 'texts', texts: [QUERY], task: 'retrieval', field: 'query' },
      k: 2,
      mode: 'dense',
      rerank: { topN: 2, until: performance.now() + 60_000 },
      options: {},
    })
    const { hits } = batches[0]!
    expect(hits.map(({ id }) => id).sort()).toEqual(['back', 'forth'])
    for (const { id, passage, rerank } of hits) {
      const { title, text } = documents.find((document) => document.id === id)!
      const part = text.slice(passage.start, passage.end)
      expect(part.length).toBeLessThan(text.length / 2)
      const { scores } = await reference.score(QUERY, [title === null ? part : `${title} ${part}`])
      expect(rerank?.score).toBeCloseTo(scores[0]!, 4)
    }
  } finally {
    await library.close()
    await reference.close()
  }
})
