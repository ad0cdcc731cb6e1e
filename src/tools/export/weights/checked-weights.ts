import { ToolError } from '../../../cli/tool-error.ts'
import type { Precision } from '../quantisation/scheme.ts'
import type { WeightSource } from './weight-source.ts'

/** From here on a number rounds to infinity in binary16. */
const FLOAT16_LIMIT = 65_520

/**
 * The same weights, each looked at as it passes: what is not a number, or infinite, would make every vector so.
 * @throws ToolError CHECKPOINT_UNUSABLE while reading, naming the tensor, the place in it and what stands there
 */
export function checkedWeights(source: WeightSource, precision: Precision): WeightSource {
  const limit = precision === 'fp16' ? FLOAT16_LIMIT : Number.POSITIVE_INFINITY
  return {
    async read(name) {
      const numbers = await source.read(name)
      check(name, numbers, 0, limit)
      return numbers
    },
    async *bands(name) {
      let from = 0
      for await (const band of source.bands(name)) {
        check(name, band, from, limit)
        from += band.length
        yield band
      }
    },
  }
}

function check(name: string, numbers: Float32Array, from: number, limit: number): void {
  for (let i = 0; i < numbers.length; i++) {
    if (Math.abs(numbers[i]!) < limit) continue
    const value = numbers[i]!
    const why = Number.isFinite(value)
      ? 'which fp16 cannot hold. Take another --precision'
      : 'not a finite number. The checkpoint is damaged, or its training failed'
    throw new ToolError(
      'CHECKPOINT_UNUSABLE',
      `Tensor ${name} holds ${value} at number ${from + i}, ${why}.`,
      {
        tensor: name,
      },
    )
  }
}
