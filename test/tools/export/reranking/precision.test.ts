import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BatchRunner } from '../../../../src/inference/pipeline/batch-runner.ts'
import { openSession } from '../../../../src/inference/session.ts'
import { MODEL_FILES } from '../../../../src/model/card.ts'
import { readCard } from '../../../../src/model/read-card.ts'
import { SCORES } from '../../../../src/reranker/onnx/scores.ts'
import { SENTENCES } from '../../../../src/tools/export/calibration/sentences.ts'
import {
  GOLDEN_RERANKERS,
  type GoldenReranker,
  goldenReranker,
  readGoldenPairs,
} from '../../../fixtures/golden-rerankers.ts'
import type { RerankerOptions } from '../../../fixtures/tiny-reranker.ts'

/** Enough for models this small. */
const calibrationTexts = SENTENCES.filter((_, i) => i % 5 === 0)

/** Share of the scores' deviation that they may be off on average; random weights are the hardest case for few bits. */
const PRECISIONS: [name: string, options: RerankerOptions, share: number][] = [
  ['fp16', { precision: 'fp16' }, 0.01],
  ['int8, calibrated', { precision: 'int8', calibrationTexts }, 0.3],
  ['int8, weights alone', { precision: 'int8', quantisation: 'weight-only' }, 0.2],
]

/** Scores of rows in one batch. */
async function scoresOf(folder: string, rows: readonly (readonly number[])[]): Promise<Float32Array> {
  const options = { provider: 'cpu', intraOpThreads: 1, spinning: false, deviceId: 0 } as const
  const session = await openSession(join(folder, MODEL_FILES.model), options)
  try {
    return await new BatchRunner(session, 9, SCORES).run(
      rows.map((ids) => ({ ids: Uint32Array.from(ids), spans: [ids.length - 1, ids.length] })),
    )
  } finally {
    await session.release()
  }
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
}

describe.each(PRECISIONS)('a reranker in %s', (_, options, share) => {
  it.each(GOLDEN_RERANKERS)('%s stays close to transformers, whatever is in the batch', async (name) => {
    const folder = await goldenReranker(name, options)
    const { ids, scores } = readGoldenPairs(name)
    const given = await scoresOf(folder, ids)
    const differences = scores.map((score, i) => Math.abs(score - given[i]!))
    const mean = differences.reduce((sum, value) => sum + value) / differences.length
    expect(mean).toBeLessThan(share * deviation(scores))
    const alone = await scoresOf(folder, [ids[2]!])
    expect(Math.abs(alone[0]! - given[2]!)).toBeLessThan(options.precision === 'fp16' ? 0.01 : 1e-4)
  })
})

it.each<GoldenReranker>(['lora', 'yes-no'])(
  '%s says in its card how far int8 drifts from fp32',
  async (name) => {
    const { quality } = readCard(
      await goldenReranker(name, { precision: 'int8', calibrationTexts }),
      'reranker',
    )
    const { drift } = quality as { drift: Record<string, number> }
    expect(drift).toMatchObject({ against: 'fp32', scores: 5 })
    expect(drift['meanDifference']).toBeGreaterThan(0)
    expect(drift['meanDifference']).toBeLessThan(0.5 * drift['deviation']!)
    expect(drift['worstDifference']).toBeGreaterThanOrEqual(drift['meanDifference']!)
  },
)

it('moves its fingerprint with template, limits, head and precision', async () => {
  const folders = [
    goldenReranker('yes-no'),
    goldenReranker('yes-no', { maxBodyTokens: 40 }),
    goldenReranker('yes-no', { precision: 'fp16' }),
    goldenReranker('yes-no-tied'),
    goldenReranker('lora'),
    goldenReranker('lora', { maxBodyTokens: 61 }),
  ]
  const cards = (await Promise.all(folders)).map((folder) => readCard(folder, 'reranker'))
  expect(new Set(cards.map(({ fingerprint }) => fingerprint)).size).toBe(folders.length)
  expect(cards[0]!.head).toMatchObject({ kind: 'token', token: 'Yes' })
  expect(cards[4]!.head).toEqual({ kind: 'score' })
})
