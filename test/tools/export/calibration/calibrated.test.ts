import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Arithmetic, type Site, siteName } from '../../../../src/tools/export/arithmetic/arithmetic.ts'
import { FloatArithmetic } from '../../../../src/tools/export/arithmetic/float-arithmetic.ts'
import { Int8Arithmetic } from '../../../../src/tools/export/arithmetic/int8-arithmetic.ts'
import { SiteStatistics } from '../../../../src/tools/export/calibration/site-statistics.ts'
import { openCheckpoint } from '../../../../src/tools/export/checkpoint/checkpoint.ts'
import type { SitePlan } from '../../../../src/tools/export/quantisation/plan.ts'
import { planSite } from '../../../../src/tools/export/quantisation/plan-site.ts'
import { quantiseProjection } from '../../../../src/tools/export/quantisation/quantise-weights.ts'
import { smoothedWeights, valueChannels } from '../../../../src/tools/export/quantisation/smoothed-weights.ts'
import { writeOnnxModel } from '../../../../src/tools/export/write-onnx-model.ts'
import type { CheckpointName } from '../../../fixtures/tiny-model.ts'
import { CopiedCheckpoint } from '../copied-checkpoint.ts'
import { cosine, largestDifference, readGolden, TinyOnnx } from '../tiny-onnx.ts'

/** Even pseudo-random numbers in [-1, 1), the same in every run. */
function noise(length: number, seed = 1): Float32Array {
  let state = seed
  return Float32Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647
    return (2 * state) / 2_147_483_647 - 1
  })
}

describe('a site', () => {
  const width = 16
  const weights = { matrices: [noise(width * 24, 5)], width }
  const planOf = (rows: Float32Array) => {
    const statistics = new SiteStatistics(width)
    statistics.add(rows)
    return planSite(statistics, weights)
  }

  it('gets a range that covers its activations, in which zero is exact', () => {
    const { scale, zeroPoint, float } = planOf(noise(width * 200).map((value) => value + 0.5))
    expect(float).toBe(false)
    expect(zeroPoint).toBeGreaterThan(40)
    expect(zeroPoint).toBeLessThan(90)
    expect(scale * 255).toBeGreaterThan(1.5)
    expect(scale * 255).toBeLessThan(2.5)
  })

  it('moves the difficulty of one large channel into the weights', () => {
    const rows = noise(width * 200).map((value, i) => (i % width === 3 ? value * 100 : value))
    const { smoothing, float } = planOf(rows)
    const others = smoothing.filter((_, c) => c !== 3)
    expect(smoothing[3]!).toBeGreaterThan(5 * Math.max(...others))
    expect(float).toBe(false)
  })

  it('stays in floating point where no range fits: a few tokens a thousand times larger than all others', () => {
    const rows = noise(width * 200).map((value, i) => (i < 2 * width ? value * 1000 : value))
    expect(planOf(rows).float).toBe(true)
  })

  it('survives activations and weights that are all zero', () => {
    const statistics = new SiteStatistics(width)
    statistics.add(new Float32Array(width * 10))
    const plan = planSite(statistics, { matrices: [new Float32Array(width * 4)], width })
    expect(plan.scale).toBeGreaterThan(0)
    expect([...plan.smoothing].every((factor) => factor > 0 && Number.isFinite(factor))).toBe(true)
    const { values, scales } = quantiseProjection(new Float32Array(width), width)
    expect([...values, ...scales].every(Number.isFinite)).toBe(true)
  })
})

it('weights keep to seven bits, so that sums of pairs fit 16', () => {
  const { values, scales } = quantiseProjection(noise(64 * 32, 9), 32)
  expect(Math.max(...values)).toBeLessThanOrEqual(63)
  expect(Math.min(...values)).toBeGreaterThanOrEqual(-63)
  expect(scales).toHaveLength(64)
})

describe.each<CheckpointName>(['mha-paper', 'gqa-released', 'bias-paper'])('%s', (name) => {
  const unsmoothed = () => 1

  /** Vectors and file size of a graph whose every site is in float, smoothed by the given factors. */
  async function vectorsWith(
    factor: (seed: number, channel: number) => number,
    arithmeticOf: (...of: ConstructorParameters<typeof Int8Arithmetic>) => Arithmetic,
  ): Promise<{ vectors: Float32Array[]; bytes: number }> {
    const copy = new CopiedCheckpoint(name)
    const template = name.endsWith('paper') ? 'paper' : 'released'
    await copy.export({ template })
    const checkpoint = await openCheckpoint(copy.folder)
    const { config } = checkpoint
    const widths: Record<Site, number> = {
      attention: config.hiddenSize,
      output: config.attentionHeads * config.headSize,
      mlp: config.hiddenSize,
      down: config.intermediateSize,
    }
    const plan = new Map<string, SitePlan>()
    for (let layer = 0; layer < config.layers; layer++) {
      for (const [index, site] of (['attention', 'output', 'mlp', 'down'] as const).entries()) {
        const channels = site === 'output' ? valueChannels(config) : undefined
        const smoothing = Float32Array.from({ length: widths[site] }, (_, c) =>
          factor(layer * 4 + index, channels ? channels[c]! : c),
        )
        plan.set(siteName(layer, site), { scale: 1, zeroPoint: 0, smoothing, float: true })
      }
    }
    const weights = smoothedWeights(checkpoint, config, plan)
    const folder = join(copy.parent, 'smoothed')
    mkdirSync(folder)
    const arithmetic = arithmeticOf(config, weights, plan)
    const pooledTokens = template === 'paper' ? 1 : 8
    await writeOnnxModel(folder, {
      config,
      weights,
      arithmetic,
      head: { kind: 'embeddings', pooledTokens },
      positions: 256,
      external: false,
    })
    await checkpoint.close()
    const graph = await TinyOnnx.openWith(folder, copy.out)
    const golden = readGolden(name)
    const vectors = await graph.run(golden.body_ids.map((body) => graph.row('both', body)))
    await graph.close()
    return { vectors: vectors.flat(), bytes: statSync(join(folder, 'model.onnx')).size }
  }

  const inFloat = (...[config, weights]: ConstructorParameters<typeof Int8Arithmetic>) =>
    new FloatArithmetic('float', config, weights)

  it('computes the same after smoothing, whatever the factors', async () => {
    const plain = await vectorsWith(unsmoothed, inFloat)
    const factor = (seed: number, channel: number) => 2 ** noise(channel + 1, seed + 3)[channel]!
    const smoothed = await vectorsWith(factor, inFloat)
    for (const [i, vector] of smoothed.vectors.entries()) {
      expect(largestDifference(vector, plain.vectors[i]!)).toBeLessThan(1e-4)
    }
  })

  it('stores eight bits a weight where a site computes in float, and stays close', async () => {
    const float = await vectorsWith(unsmoothed, inFloat)
    const eight = await vectorsWith(unsmoothed, (...of) => new Int8Arithmetic(...of))
    expect(eight.bytes).toBeLessThan(0.5 * float.bytes)
    for (const [i, vector] of eight.vectors.entries()) {
      expect(cosine(vector, float.vectors[i]!)).toBeGreaterThan(0.998)
    }
  })
})
