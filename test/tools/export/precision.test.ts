import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Card } from '../../../src/model/card.ts'
import { readCard } from '../../../src/model/read-card.ts'
import { SENTENCES } from '../../../src/tools/export/calibration/sentences.ts'
import type { ExportOptions } from '../../../src/tools/export/export-options.ts'
import { chooseScheme, type Quantisation } from '../../../src/tools/export/quantisation/scheme.ts'
import { type CheckpointName, tinyModel } from '../../fixtures/tiny-model.ts'
import { cosine, type Golden, largestDifference, readGolden, TinyOnnx } from './tiny-onnx.ts'

const NAMES: CheckpointName[] = ['mha-paper', 'mha-released', 'gqa-paper', 'gqa-released', 'bias-paper']
/** Enough for models this small. */
const TEXTS = SENTENCES.filter((_, i) => i % 5 === 0)
const PROMPTS = ['ebae', 'ebar'] as const

/**
 * Cosine to what transformers computes in float32. Random weights in 32 dimensions are the hardest case for few
 * bits, since nothing averages out; trained models of some hundred dimensions stay above 0.99. Four bits need a
 * little more than that to say anything.
 */
const CLOSE = {
  fp16: { worst: 0.9999, mean: 0.9999, names: NAMES },
  int8: { worst: 0.9, mean: 0.97, names: NAMES },
  'int8 weight-only': { worst: 0.999, mean: 0.9995, names: ['blocks-released'] },
  int4: { worst: 0.9, mean: 0.95, names: ['blocks-released'] },
} satisfies Record<string, { worst: number; mean: number; names: CheckpointName[] }>
type Kind = keyof typeof CLOSE
const KINDS = Object.keys(CLOSE) as Kind[]

function optionsOf(kind: Kind): Partial<ExportOptions> {
  const [precision, quantisation] = kind.split(' ') as [Card['precision'], Quantisation | undefined]
  return { precision, calibrationTexts: TEXTS, ...(quantisation && { quantisation }) }
}

describe.each(KINDS)('in %s', (kind) => {
  describe.each<CheckpointName>(CLOSE[kind].names)('%s', (name) => {
    let graph: TinyOnnx
    let golden: Golden
    beforeAll(async () => {
      golden = readGolden(name)
      graph = await TinyOnnx.open(await tinyModel(name, optionsOf(kind)))
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
      expect(Math.min(...cosines)).toBeGreaterThan(CLOSE[kind].worst)
      expect(cosines.reduce((sum, value) => sum + value) / cosines.length).toBeGreaterThan(CLOSE[kind].mean)
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
    const graph = await TinyOnnx.open(
      await tinyModel('mha-paper', { precision: 'int8', calibrationTexts: TEXTS }),
    )
    const { drift } = graph.card.quality as { drift: { meanCosine: number; worstCosine: number } }
    expect(drift.meanCosine).toBeGreaterThan(0.99)
    expect(drift.worstCosine).toBeLessThanOrEqual(drift.meanCosine)
    await graph.close()
  })
})

describe('drift from fp32', () => {
  it.each(KINDS)('is measured on the texts given, in %s', async (kind) => {
    const texts = TEXTS.slice(0, 10)
    const folder = await tinyModel('blocks-released', { ...optionsOf(kind), driftTexts: texts })
    const { quality, files } = readCard(folder)
    const { drift } = quality as { drift: Record<string, number> }
    expect(drift).toMatchObject({ against: 'fp32', vectors: 20 })
    expect(drift['meanCosine']).toBeGreaterThan(CLOSE[kind].mean)
    expect(drift['worstCosine']).toBeLessThanOrEqual(drift['meanCosine']!)
    expect(drift['worstCosine']).toBeGreaterThan(CLOSE[kind].worst)
    expect(Object.keys(files)).toEqual(['model.onnx', 'tokenizer.json'])
    expect(readdirSync(folder).sort()).toEqual(['model.json', 'model.onnx', 'tokenizer.json'])
  })
})

describe('how a model is quantised', () => {
  it('stands in its card and moves its fingerprint', async () => {
    const cards = await Promise.all(
      KINDS.map(async (kind) => readCard(await tinyModel('mha-paper', optionsOf(kind)))),
    )
    const weightOnly = { kind: 'weight-only', blockSize: 32, accuracyLevel: 4 }
    expect(cards.map((card) => card.quantisation)).toEqual([
      undefined,
      { kind: 'calibrated', bits: 8 },
      { ...weightOnly, bits: 8 },
      { ...weightOnly, bits: 4 },
    ])
    expect(new Set(cards.map((card) => card.fingerprint)).size).toBe(KINDS.length)
  })

  it('is chosen by size unless forced', () => {
    expect(chooseScheme('int8', 5e8)).toEqual({ kind: 'calibrated', bits: 8 })
    expect(chooseScheme('int8', 7e9)).toMatchObject({ kind: 'weight-only', bits: 8 })
    expect(chooseScheme('int8', 7e9, 'calibrated')?.kind).toBe('calibrated')
    expect(chooseScheme('int8', 5e8, 'weight-only')?.kind).toBe('weight-only')
    expect(chooseScheme('fp16', 7e9)).toBeUndefined()
  })

  it.each([
    ['int4', 'calibrated', 'int4 is always weight-only'],
    ['fp16', 'weight-only', 'fp16 is not quantised'],
    ['fp32', 'calibrated', 'fp32 is not quantised'],
  ] as const)('is refused as %s %s', (precision, quantisation, message) => {
    expect(() => chooseScheme(precision, 1, quantisation)).toThrow(message)
  })
})
