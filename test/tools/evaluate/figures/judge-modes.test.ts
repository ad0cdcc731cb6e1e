import { expect, test } from 'vitest'
import { judgeModes } from '../../../../src/tools/evaluate/figures/judge-modes.ts'
import { withLocalSystem, withModel } from '../../../../src/tools/evaluate/systems/local-model.ts'
import { tinyModel } from '../../../fixtures/tiny-model.ts'
import { judgedSet } from '../small-set.ts'

test('every mode is asked about the same documents, and judged by what it answers', async () => {
  const set = judgedSet({
    violin: { text: 'violin', grades: { d2: 1, d1: 1 } },
    nothing: { text: 'trombone', grades: { d0: 1 } },
  })
  const { documents, queries, modes } = await withModel(await tinyModel(), 'cpu', (encoder) =>
    withLocalSystem(encoder, (system) => judgeModes(system, set, ['lexical', 'hybrid', 'dense'])),
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
