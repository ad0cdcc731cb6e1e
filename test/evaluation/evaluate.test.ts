import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultConfig } from '../../src/config.ts'
import { readCard } from '../../src/encoder/onnx/card-file.ts'
import { type OnnxEncoder, openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import type { BeirSet } from '../../src/evaluation/beir.ts'
import { evaluate } from '../../src/evaluation/evaluate.ts'
import { recordInCard } from '../../src/evaluation/record.ts'
import { openExactStore } from '../../src/vector-store/exact/exact-store.ts'
import { tinyModel } from '../fixtures/tiny-model.ts'

let encoder: OnnxEncoder
beforeAll(async () => {
  encoder = await openOnnxEncoder({ modelFolder: await tinyModel(), device: 'cpu', intraOpThreads: 1 })
})
afterAll(() => encoder.close())

const words = ['river', 'engine', 'violin', 'harvest', 'planet', 'bridge']
const documents = words.map((word, i) => ({
  id: `d${i}`,
  title: null,
  text: `the ${word} of the ${words[(i + 1) % 6]}`,
}))

async function evaluated(set: BeirSet) {
  const store = openExactStore({ dimensions: encoder.card.dimensions })
  return evaluate({ encoder, store, limits: defaultConfig() }, set)
}

test('the figures are those of the rankings that the service gives', async () => {
  const text = documents[2]!.text
  const asQuery = await encoder.encode([text], 'ebar')
  const asDocuments = await encoder.encode(
    documents.map((document) => document.text),
    'ebae',
  )
  const scores = asDocuments.vectors.map((vector) =>
    vector.reduce((sum, x, i) => sum + x * asQuery.vectors[0]![i]!, 0),
  )
  const best = documents[scores.indexOf(Math.max(...scores))]!.id
  const worst = documents[scores.indexOf(Math.min(...scores))]!.id
  const queries = [{ id: 'q', text }]
  const first = await evaluated({ documents, queries, judgements: new Map([['q', new Map([[best, 1]])]]) })
  expect(first.exact).toEqual({ 'ndcg@10': 1, 'mrr@10': 1, 'recall@10': 1, 'recall@100': 1 })
  const last = await evaluated({ documents, queries, judgements: new Map([['q', new Map([[worst, 1]])]]) })
  expect(last.exact['mrr@10']).toBeCloseTo(1 / 6, 9)
  expect(last.exact['ndcg@10']).toBeCloseTo(1 / Math.log2(7), 9)
  expect(last['hnsw_recall@10']).toBe(1)
})

test('documents without text are found by their title; empty ones are counted, not lost in silence', async () => {
  const set: BeirSet = {
    documents: [
      ...documents,
      { id: 'titled', title: 'violin', text: ' ' },
      { id: 'empty', title: null, text: '' },
    ],
    queries: [{ id: 'q', text: 'violin' }],
    judgements: new Map([['q', new Map([['titled', 1]])]]),
  }
  const figures = await evaluated(set)
  expect(figures).toMatchObject({ documents: 7, skippedDocuments: 1, queries: 1, judgements: 1 })
  expect(figures.exact['recall@10']).toBe(1)
})

test('figures go into the card without touching the identity of the model', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'card-'))
  try {
    await cp(await tinyModel(), folder, { recursive: true })
    const before = readCard(folder)
    const set = {
      documents,
      queries: [{ id: 'q', text: 'violin' }],
      judgements: new Map([['q', new Map([['d0', 1]])]]),
    }
    const figures = await evaluated(set)
    await recordInCard(folder, 'one', figures)
    await recordInCard(folder, 'two', figures)
    const card = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'))
    expect(Object.keys(card.quality.evaluation)).toEqual(['one', 'two'])
    expect(card.quality.evaluation.one.exact['mrr@10']).toBe(Number(figures.exact['mrr@10'].toFixed(4)))
    expect(readCard(folder).fingerprint).toBe(before.fingerprint)
  } finally {
    await rm(folder, { recursive: true })
  }
})
