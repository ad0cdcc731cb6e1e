import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SENTENCES } from '../../src/model-export/calibration/texts.ts'
import { type CheckpointName, tinyModel } from '../fixtures/tiny-model.ts'
import { cosine, type Golden, largestDifference, readGolden, TinyGraph } from './tiny-graph.ts'

const NAMES: CheckpointName[] = ['mha-paper', 'mha-released', 'gqa-paper', 'gqa-released', 'bias-paper']
/** Enough for models this small. */
const TEXTS = SENTENCES.filter((_, i) => i % 5 === 0)
const PROMPTS = ['ebae', 'ebar'] as const

/**
 * Cosine to what transformers computes in float32. Random weights in 32 dimensions are the hardest case for eight
 * bits, since nothing averages out; trained models of some hundred dimensions stay above 0.99.
 */
const CLOSE = { fp16: { worst: 0.9999, mean: 0.9999 }, int8: { worst: 0.9, mean: 0.97 } }

describe.each(['fp16', 'int8'] as const)('in %s', (precision) => {
  describe.each(NAMES)('%s', (name) => {
    let graph: TinyGraph
    let golden: Golden
    beforeAll(async () => {
      golden = readGolden(name)
      graph = await TinyGraph.open(await tinyModel(name, { precision, calibrationTexts: TEXTS }))
    })
    afterAll(() => graph.close())

    it('stays close to transformers', async () => {
      const joint = await graph.run(golden.body_ids.map((body) => graph.row('both', body)))
      const cosines: number[] = []
      for (const [group, prompt] of PROMPTS.entries()) {
        const single = await graph.run(golden.body_ids.map((body) => graph.row(prompt, body)))
        for (const [i, expected] of golden.prompts[prompt].vectors.entries()) {
          cosines.push(cosine(single[i]![0]!, expected), cosine(joint[i]![group]!, expected))
        }
      }
      expect(Math.min(...cosines)).toBeGreaterThan(CLOSE[precision].worst)
      expect(cosines.reduce((sum, value) => sum + value) / cosines.length).toBeGreaterThan(
        CLOSE[precision].mean,
      )
    })

    it('gives unit vectors of single precision', async () => {
      for (const [vector] of await graph.run(golden.body_ids.map((body) => graph.row('ebar', body)))) {
        expect(vector).toBeInstanceOf(Float32Array)
        expect(Math.abs(cosine(vector!, vector!) - 1)).toBeLessThan(1e-5)
      }
    })

    it('gives one text the same vector whatever it is batched with', async () => {
      const bodies = [...golden.body_ids, golden.body_ids.flat().slice(0, 180)]
      for (const task of ['ebae', 'ebar', 'both'] as const) {
        const rows = bodies.map((body) => graph.row(task, body))
        const mixed = await graph.run(rows, () => 9)
        const few = await graph.run(rows.slice(0, 3), () => 40)
        for (const [i, row] of rows.entries()) {
          const [alone] = await graph.run([row])
          for (const [group, vector] of alone!.entries()) {
            expect(largestDifference(vector, mixed[i]![group]!)).toBeLessThan(1e-5)
            if (i < 3) expect(largestDifference(vector, few[i]![group]!)).toBeLessThan(1e-5)
          }
        }
      }
    })
  })
})

describe('int8', () => {
  it('says in its card how far it drifts from fp32', async () => {
    const graph = await TinyGraph.open(
      await tinyModel('mha-paper', { precision: 'int8', calibrationTexts: TEXTS }),
    )
    const { drift } = graph.card.quality as { drift: { meanCosine: number; worstCosine: number } }
    expect(drift.meanCosine).toBeGreaterThan(0.99)
    expect(drift.worstCosine).toBeLessThanOrEqual(drift.meanCosine)
    await graph.close()
  })
})
