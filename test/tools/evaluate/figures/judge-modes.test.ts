import { expect, test } from 'vitest'
import { openOnnxReranker } from '../../../../src/reranker/onnx/onnx-reranker.ts'
import { judgeModes } from '../../../../src/tools/evaluate/figures/judge-modes.ts'
import {
  withLocalSystem,
  withModel,
  withReranker,
} from '../../../../src/tools/evaluate/systems/local-model.ts'
import { rerankedHits } from '../../../../src/tools/evaluate/systems/reranked.ts'
import { tinyModel } from '../../../fixtures/tiny-model.ts'
import { tinyReranker } from '../../../fixtures/tiny-reranker.ts'
import { DOCUMENTS, judgedSet } from '../small-set.ts'

test('every mode is asked about the same documents, and judged by what it answers', async () => {
  const set = judgedSet({
    violin: { text: 'violin', grades: { d2: 1, d1: 1 } },
    nothing: { text: 'trombone', grades: { d0: 1 } },
  })
  const { documents, queries, modes } = await withModel(await tinyModel(), 'cpu', (encoder) =>
    withLocalSystem(encoder, {}, (system) => judgeModes(system, set, ['lexical', 'hybrid', 'dense'])),
  )
  expect([documents, queries]).toEqual([6, 2])
  expect(Object.keys(modes)).toEqual(['lexical', 'hybrid', 'dense'])
  // Both documents with the word, and none for a word that nothing has.
  expect(modes.lexical).toMatchObject({ 'ndcg@10': 0.5, 'mrr@10': 0.5, 'recall@10': 0.5, 'recall@100': 0.5 })
  // Of six documents, vectors find all.
  for (const mode of ['dense', 'hybrid'] as const) {
    expect(modes[mode]).toMatchObject({ 'recall@10': 1, 'recall@100': 1 })
    expect(modes[mode]!.latency_ms.embed.p50).toBeGreaterThan(0)
  }
  expect(modes.lexical!.latency_ms.embed.p99).toBe(0)
  expect(modes.hybrid!['ndcg@10']).toBeGreaterThan(modes.dense!['ndcg@10'])
})

test('rerank is judged by the order of the reranker, and says which it was', async () => {
  const texts = DOCUMENTS.map(({ text }) => text)
  const folder = await tinyReranker()
  const [query] = ['violin']
  const reranker = await openOnnxReranker({ modelFolder: folder, device: 'cpu' })
  const { scores } = await reranker.score(query!, texts)
  await reranker.close()
  const best = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!)
  // The reranker's second choice is the one right answer.
  const set = judgedSet({ violin: { text: query!, grades: { [DOCUMENTS[best[1]!]!.id]: 1 } } })
  const encoder = await tinyModel()
  const { modes, facts } = await withModel(encoder, 'cpu', (encoder) =>
    withReranker(folder, 'cpu', (reranker) =>
      withLocalSystem(
        encoder,
        {},
        async (system) => ({ ...(await judgeModes(system, set, ['rerank'])), facts: system.facts }),
        reranker,
      ),
    ),
  )
  expect(modes.rerank).toMatchObject({ 'mrr@10': 0.5, 'recall@10': 1, 'recall@100': 1 })
  expect(facts.reranker).toMatchObject({ id: 'tiny-reranker', precision: 'fp32' })
})

test('hits that kept their order are not judged as reranked', () => {
  expect(rerankedHits([{ id: 'b' }, { id: 'a' }], undefined)).toEqual([
    { id: 'b', score: -0 },
    { id: 'a', score: -1 },
  ])
  expect(() => rerankedHits([], 'deadline')).toThrow(/was not heard \(deadline\)/)
})
