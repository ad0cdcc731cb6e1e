import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CopiedCheckpoint } from './copied-checkpoint.ts'
import { cosine, readGolden, TinyOnnx } from './tiny-onnx.ts'

const LAYER = 'model.layers.0.mlp.up_proj.weight'

/** Vectors of the golden texts, and the graph's size, with layer 0's up projection filled with one number. */
async function exportedWith(value: number, precision: 'fp32' | 'int8') {
  const checkpoint = new CopiedCheckpoint('bias-paper')
  checkpoint.fill('model.safetensors', LAYER, value)
  await checkpoint.export({ precision })
  const graph = await TinyOnnx.open(checkpoint.out)
  const rows = readGolden('bias-paper').body_ids.map((body) => graph.row('ebae', body))
  const vectors = (await graph.run(rows)).map((row) => row[0]!)
  await graph.close()
  return { vectors, bytes: statSync(join(checkpoint.out, 'model.onnx')).size }
}

it.each(['fp32', 'int8'] as const)(
  'multiplies by no up projection that is all zero: %s',
  async (precision) => {
    const [zero, tiny] = [await exportedWith(0, precision), await exportedWith(1e-12, precision)]
    for (const [i, vector] of zero.vectors.entries()) {
      expect(cosine(vector, tiny.vectors[i]!)).toBeGreaterThan(precision === 'fp32' ? 0.999999 : 0.999)
    }
    expect(zero.bytes).toBeLessThan(tiny.bytes)
  },
)
