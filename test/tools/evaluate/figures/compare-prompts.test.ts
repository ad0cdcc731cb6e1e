import { expect, test } from 'vitest'
import { defaultConfig } from '../../../../src/config/read.ts'
import { openOnnxEncoder } from '../../../../src/encoder/onnx/onnx-encoder.ts'
import { ARM_NAMES, ARMS, reportPrompts } from '../../../../src/tools/evaluate/figures/compare-prompts.ts'
import { ExactRanker } from '../../../../src/tools/evaluate/figures/exact-ranker.ts'
import { ndcg } from '../../../../src/tools/evaluate/figures/retrieval-metrics.ts'
import { sampleTexts } from '../../../../src/tools/evaluate/judged-set/text-sample.ts'
import { localSystem } from '../../../../src/tools/evaluate/systems/local-system.ts'
import { tinyModel } from '../../../fixtures/tiny-model.ts'
import { ExactIndex } from '../../../oracle/exact-index.ts'
import { DOCUMENTS, judgedSet } from '../small-set.ts'

test('each arm is the ranking of the prompts it names', async () => {
  const encoder = await openOnnxEncoder({ modelFolder: await tinyModel(), device: 'cpu', intraOpThreads: 1 })
  try {
    const index = new ExactIndex(encoder.card.dimensions)
    const system = localSystem({ encoder, index, limits: defaultConfig() })
    const set = judgedSet(
      Object.fromEntries(DOCUMENTS.map(({ id, text }) => [id, { text: `${text} now`, grades: { [id]: 1 } }])),
    )
    const sample = await sampleTexts(set)
    const report = await reportPrompts(system, sample)
    const texts = (of: readonly { text: string }[]) => of.map(({ text }) => text)
    for (const arm of ARM_NAMES) {
      const queries = (await encoder.encode(texts(sample.queries), [ARMS[arm].query])).vectors[
        ARMS[arm].query
      ]
      const ranker = new ExactRanker(queries, 10)
      const documents = (await encoder.encode(texts(sample.documents), [ARMS[arm].document])).vectors[
        ARMS[arm].document
      ]
      ranker.add(
        sample.documents.map(({ id }) => id),
        documents,
      )
      const figures = ranker
        .rankings()
        .map((ranking, i) => ndcg(ranking, sample.judgements.get(sample.queries[i]!.id)!, 10))
      const mean = figures.reduce((a, b) => a + b, 0) / figures.length
      expect(report['ndcg@10'][arm], arm).toBeCloseTo(mean, 6)
    }
    const { right, ...others } = report['ndcg@10']
    expect(report.right_prompts_win).toBe(Object.values(others).every((other) => right > other))
    expect(report).toMatchObject({ documents: 6, queries: 6, whole_set: true })
  } finally {
    await encoder.close()
  }
})

test('the ranker keeps the k best of all batches, ties by id descending', () => {
  const ranker = new ExactRanker([Float32Array.of(1, 0)], 2)
  ranker.add(['a', 'b'], [Float32Array.of(0, 1), Float32Array.of(1, 0)])
  ranker.add(['c', 'd'], [Float32Array.of(1, 0), Float32Array.of(1, 0)])
  expect(ranker.rankings()).toEqual([['d', 'c']])
})
