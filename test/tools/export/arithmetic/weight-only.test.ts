import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Arithmetic } from '../../../../src/tools/export/arithmetic/arithmetic.ts'
import { FloatArithmetic } from '../../../../src/tools/export/arithmetic/float-arithmetic.ts'
import { WeightOnlyArithmetic } from '../../../../src/tools/export/arithmetic/weight-only-arithmetic.ts'
import { openCheckpoint } from '../../../../src/tools/export/checkpoint/checkpoint.ts'
import {
  PROJECTIONS,
  projectionName,
  projectionShape,
} from '../../../../src/tools/export/checkpoint/tensor-names.ts'
import {
  type BlockFormat,
  blocksOf,
  quantiseBlocks,
} from '../../../../src/tools/export/quantisation/quantise-blocks.ts'
import { quantiseTable } from '../../../../src/tools/export/quantisation/quantise-weights.ts'
import type { WeightSource } from '../../../../src/tools/export/weights/weight-source.ts'
import { writeOnnxModel } from '../../../../src/tools/export/write-onnx-model.ts'
import { CopiedCheckpoint } from '../copied-checkpoint.ts'
import { cosine, largestDifference, readGolden, TinyOnnx } from '../tiny-onnx.ts'

/** What the stored numbers stand for, read back by the operator's own definition. */
function dequantise(matrix: Float32Array, width: number, format: BlockFormat): Float32Array {
  const { values, scales } = quantiseBlocks(matrix, width, format)
  const { bits, blockSize } = format
  const blocks = blocksOf(width, format)
  return matrix.map((_, i) => {
    const [row, column] = [Math.floor(i / width), i % width]
    const block = row * blocks + Math.floor(column / blockSize)
    const place = block * blockSize + (column % blockSize)
    const byte = values[Math.floor((place * bits) / 8)]!
    const step = bits === 8 ? byte : (byte >> (4 * (place % 2))) & 15
    return (step - (1 << (bits - 1))) * scales[block]!
  })
}

/** A checkpoint as it comes back from quantisation. */
function roundTrip(
  source: WeightSource,
  widths: ReadonlyMap<string, number>,
  format: BlockFormat,
): WeightSource {
  const read = async (name: string) => {
    const tensor = await source.read(name)
    const width = widths.get(name)!
    if (name.startsWith('embed')) {
      const { values, scales } = quantiseTable(tensor, 32)
      return tensor.map((_, i) => values[i]! * scales[Math.floor(i / 32)]!)
    }
    return name.endsWith('proj.weight') ? dequantise(tensor, width, format) : tensor
  }
  return {
    read,
    async *bands(name) {
      yield await read(name)
    },
  }
}

const FORMATS: BlockFormat[] = [
  { bits: 4, blockSize: 32 },
  { bits: 8, blockSize: 32 },
  { bits: 4, blockSize: 16 },
]

describe.each(FORMATS)('weights of $bits bits in blocks of $blockSize', (format) => {
  it('come back within a step, blocks of zeros and short blocks included', () => {
    const width = 48
    const matrix = Float32Array.from({ length: width * 20 }, (_, i) => (i < 96 ? 0 : Math.sin(i * i)))
    const back = dequantise(matrix, width, format)
    // The largest positive weight may lie one step past the range; a 4-bit peak may be clipped further.
    const tolerance = format.bits === 8 ? 1.01 / 128 : 0.36
    expect(largestDifference(back, matrix)).toBeLessThan(tolerance)
    expect(back.slice(0, 96).every((value) => value === 0)).toBe(true)
    const error = matrix.reduce((sum, value, i) => sum + (value - back[i]!) ** 2, 0)
    const energy = matrix.reduce((sum, value) => sum + value ** 2, 0)
    expect(error / energy).toBeLessThan(format.bits === 8 ? 3e-5 : 0.008)
  })

  it.each(['mha-paper', 'bias-paper'] as const)(
    'give what the same weights give in floating point, in %s',
    async (name) => {
      const copy = new CopiedCheckpoint(name)
      await copy.export()
      const checkpoint = await openCheckpoint(copy.folder)
      const { config } = checkpoint
      const widths = new Map<string, number>()
      for (let layer = 0; layer < config.layers; layer++) {
        for (const projection of PROJECTIONS) {
          widths.set(projectionName(layer, projection), projectionShape(config, projection)[1])
        }
      }
      const vectorsOf = async (kind: string, weights: WeightSource, arithmetic: Arithmetic) => {
        const folder = join(copy.parent, kind)
        mkdirSync(folder)
        await writeOnnxModel(folder, {
          config,
          weights,
          arithmetic,
          head: { kind: 'embeddings', pooledTokens: 1 },
          positions: 256,
          external: false,
        })
        const graph = await TinyOnnx.openWith(folder, copy.out)
        const vectors = await graph.run(readGolden(name).body_ids.map((body) => graph.row('both', body)))
        await graph.close()
        return vectors.flat()
      }
      const back = roundTrip(checkpoint, widths, format)
      const expected = await vectorsOf('float', back, new FloatArithmetic('float', config, back))
      const blocked = (accuracyLevel: 1 | 4) =>
        vectorsOf(
          `level-${accuracyLevel}`,
          checkpoint,
          new WeightOnlyArithmetic(config, checkpoint, { ...format, accuracyLevel }),
        )
      const exact = await blocked(1)
      const fast = await blocked(4)
      await checkpoint.close()
      for (const [i, vector] of expected.entries()) {
        expect(largestDifference(exact[i]!, vector)).toBeLessThan(1e-4)
        // Here activations have 8 bits too.
        expect(cosine(fast[i]!, vector)).toBeGreaterThan(0.99)
      }
    },
  )
})
