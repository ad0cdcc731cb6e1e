import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultConfig } from '../../../../src/config/read.ts'
import { type OnnxEncoder, openOnnxEncoder } from '../../../../src/encoder/onnx/onnx-encoder.ts'
import { judgeSearch } from '../../../../src/tools/evaluate/figures/judge-search.ts'
import type { BeirSet } from '../../../../src/tools/evaluate/judged-set/beir-set.ts'
import { localSystem } from '../../../../src/tools/evaluate/systems/local-system.ts'
import { tinyModel } from '../../../fixtures/tiny-model.ts'
import { ExactIndex } from '../../../oracle/exact-index.ts'
import { DOCUMENTS, judgedSet } from '../small-set.ts'

let encoder: OnnxEncoder
beforeAll(async () => {
  encoder = await openOnnxEncoder({ modelFolder: await tinyModel(), device: 'cpu', intraOpThreads: 1 })
})
afterAll(() => encoder.close())

function evaluated(set: BeirSet, options = {}) {
  const index = new ExactIndex(encoder.card.dimensions)
  return judgeSearch(localSystem({ encoder, index, limits: defaultConfig() }), set, options)
}

test('the figures are those of the rankings that the service gives', async () => {
  const { text } = DOCUMENTS[2]!
  const asQuery = await encoder.encode([text], ['ebar'])
  const asDocuments = await encoder.encode(
    DOCUMENTS.map((document) => document.text),
    ['ebae'],
  )
  const scores = asDocuments.vectors.ebae.map((vector) =>
    vector.reduce((sum, x, i) => sum + x * asQuery.vectors.ebar[0]![i]!, 0),
  )
  const best = DOCUMENTS[scores.indexOf(Math.max(...scores))]!.id
  const worst = DOCUMENTS[scores.indexOf(Math.min(...scores))]!.id
  const first = await evaluated(judgedSet({ q: { text, grades: { [best]: 1 } } }))
  expect(first.exact).toEqual({
    'ndcg@10': 1,
    'mrr@10': 1,
    'recall@10': 1,
    'recall@100': 1,
    'recall@1000': 1,
  })
  expect(first.hnsw).toEqual(first.exact)
  const last = await evaluated(judgedSet({ q: { text, grades: { [worst]: 1 } } }))
  expect(last.exact['mrr@10']).toBeCloseTo(1 / 6, 9)
  expect(last.exact['ndcg@10']).toBeCloseTo(1 / Math.log2(7), 9)
  expect(last['hnsw_recall@10']).toBe(1)
  expect(last.latency_ms.request.p99).toBeGreaterThanOrEqual(last.latency_ms.search.p50)
})

test('documents without text are found by their title; what cannot be found is told', async () => {
  const documents = [
    ...DOCUMENTS,
    { id: 'titled', title: null, text: 'violin' },
    { id: 'empty', title: null, text: '' },
    { id: 'bad\u0000id', title: null, text: 'refused' },
  ]
  const set = judgedSet(
    {
      q: { text: 'violin', grades: { titled: 1, lost: 1 } },
      none: { text: 'bridge', grades: { d1: 0 } },
    },
    documents,
  )
  const figures = await evaluated(set)
  expect(figures).toMatchObject({ documents: 7, queries: 2, judgements: 3, hopelessQueries: 1 })
  expect(figures.corpus).toMatchObject({
    skippedDocuments: 1,
    refusedDocuments: 1,
    firstRefusal: expect.stringContaining('corpus.jsonl:9: '),
    unknownDocuments: 1,
    firstUnknown: 'lost',
  })
  // One of two relevant documents can be found, by one of two queries.
  expect(figures.exact['recall@1000']).toBe(0.25)
})

test('documents that are there already are not stored again', async () => {
  const index = new ExactIndex(encoder.card.dimensions)
  const system = localSystem({ encoder, index, limits: defaultConfig() })
  const set = judgedSet({ q: { text: 'violin', grades: { d2: 1 } } })
  const first = await judgeSearch(system, set)
  const again = await judgeSearch(system, set, { useExisting: true })
  expect(again.corpus).toBeNull()
  expect(again.exact).toEqual(first.exact)
})

test('a stop ends the run', async () => {
  const set = judgedSet({ q: { text: 'violin', grades: { d2: 1 } } })
  await expect(evaluated(set, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
})
