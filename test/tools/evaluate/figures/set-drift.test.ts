import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OnnxEncoder, openOnnxEncoder } from '../../../../src/encoder/onnx/onnx-encoder.ts'
import { embedSample, meanNdcg, setDrift } from '../../../../src/tools/evaluate/figures/set-drift.ts'
import { sampleTexts } from '../../../../src/tools/evaluate/judged-set/text-sample.ts'
import { tinyModel } from '../../../fixtures/tiny-model.ts'
import { DOCUMENTS, judgedSet } from '../small-set.ts'

const set = judgedSet({
  q0: { text: DOCUMENTS[0]!.text, grades: { d0: 1 } },
  q3: { text: DOCUMENTS[3]!.text, grades: { d3: 1, d4: 1 } },
})

let encoder: OnnxEncoder
let other: OnnxEncoder
beforeAll(async () => {
  const open = (modelFolder: string) => openOnnxEncoder({ modelFolder, device: 'cpu', intraOpThreads: 1 })
  encoder = await open(await tinyModel())
  other = await open(await tinyModel('gqa-paper'))
})
afterAll(async () => {
  await encoder.close()
  await other.close()
})

test('a model does not drift from itself', async () => {
  const sample = await sampleTexts(set)
  const vectors = await embedSample(encoder, sample)
  const drift = setDrift({ model: vectors, reference: vectors }, sample)
  expect(drift.documents).toEqual({
    vectors: 6,
    meanCosine: expect.closeTo(1, 6),
    worstCosine: expect.closeTo(1, 6),
  })
  expect(drift.queries.vectors).toBe(2)
  expect(drift['ndcg@10'].change).toBe(0)
})

test('cosines and the change in nDCG are those of the vectors', () => {
  const unit = (x: number, y: number) => Float32Array.of(x, y)
  const sample = {
    documents: [
      { id: 'a', text: 'a' },
      { id: 'b', text: 'b' },
    ],
    queries: [{ id: 'q', text: 'q' }],
    judgements: new Map([['q', new Map([['a', 1]])]]),
    leaveOutSameId: false,
    documentsOfSet: 2,
    queriesOfSet: 1,
  }
  const reference = { documents: [unit(1, 0), unit(0, 1)], queries: [unit(1, 0)] }
  const model = { documents: [unit(0.6, 0.8), unit(0.8, 0.6)], queries: [unit(1, 0)] }
  expect(meanNdcg(reference, sample)).toBe(1)
  const drift = setDrift({ model, reference }, sample)
  expect(drift.documents.meanCosine).toBeCloseTo(0.6, 6)
  expect(drift.documents.worstCosine).toBeCloseTo(0.6, 6)
  expect(drift['ndcg@10'].model).toBeCloseTo(1 / Math.log2(3), 9)
  expect(drift['ndcg@10'].change).toBeCloseTo(1 / Math.log2(3) - 1, 9)
})

test('another model is far away; one of other dimensions is refused', async () => {
  const sample = await sampleTexts(set)
  const ours = await embedSample(encoder, sample)
  const theirs = await embedSample(other, sample)
  expect(setDrift({ model: ours, reference: theirs }, sample).documents.meanCosine).toBeLessThan(0.9)
  const short = { ...theirs, queries: theirs.queries.map((vector) => vector.slice(1)) }
  expect(() => setDrift({ model: ours, reference: short }, sample)).toThrow(/32 and 31 dimensions/)
})

test('a sample keeps what is judged and spaces the rest', async () => {
  const documents = Array.from({ length: 100 }, (_, i) => ({ id: `d${i}`, title: `t${i}`, text: 'x' }))
  const judged = Object.fromEntries(
    Array.from({ length: 10 }, (_, i) => [`q${i}`, { text: 'q', grades: { [`d${i * 7 + 1}`]: 1 } }]),
  )
  const big = judgedSet(judged, [...documents, { id: 'empty', title: null as never, text: '' }])
  const sample = await sampleTexts(big, { documentsMax: 20, queriesMax: 5 })
  expect(sample.queries.map(({ id }) => id)).toEqual(['q0', 'q2', 'q4', 'q6', 'q8'])
  const ids = sample.documents.map(({ id }) => id)
  expect(ids).toEqual(expect.arrayContaining(['d1', 'd15', 'd29', 'd43', 'd57']))
  expect(ids.length).toBeLessThanOrEqual(20)
  expect(sample.documents[0]).toEqual({ id: 'd0', text: 't0 x' })
  expect(sample).toMatchObject({ documentsOfSet: 100, queriesOfSet: 10 })
})
