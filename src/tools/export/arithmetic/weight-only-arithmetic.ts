import type { LlamaConfig } from '../checkpoint/llama-config.ts'
import { type Projection, projectionName, projectionShape } from '../checkpoint/tensor-names.ts'
import { MICROSOFT, type OnnxBuilder } from '../onnx/onnx-builder.ts'
import { type BlockFormat, blocksOf, quantiseBlocks } from '../quantisation/quantise-blocks.ts'
import { quantisedBands } from '../quantisation/quantised-bands.ts'
import type { WeightSource } from '../weights/weight-source.ts'
import { QuantisedArithmetic } from './quantised-arithmetic.ts'

interface WeightOnlyFormat extends BlockFormat {
  /** MatMulNBits' `accuracy_level`. 1: activations stay float32. 4: they become 8-bit, block by block of a row. */
  accuracyLevel: 1 | 4
}

/**
 * Weights of 4 or 8 bits in blocks, activations in float: nothing to calibrate, so a model of any size passes through
 * in constant memory, and a text's vector cannot depend on its batch. Norms and biases stay float, the embedding
 * table has 8 bits.
 */
export class WeightOnlyArithmetic extends QuantisedArithmetic {
  readonly #format: WeightOnlyFormat

  constructor(config: LlamaConfig, weights: WeightSource, format: WeightOnlyFormat) {
    super(config, weights)
    this.#format = format
  }

  async project(onnx: OnnxBuilder, entered: string, layer: number, projection: Projection): Promise<string> {
    const { bits, blockSize, accuracyLevel } = this.#format
    const [outputs, inputs] = projectionShape(this.config, projection)
    const blocks = blocksOf(inputs, this.#format)
    const name = projectionName(layer, projection)
    const scales = new Float32Array(outputs * blocks)
    const dims = [outputs, blocks, (blockSize * bits) / 8]
    const quantise = (band: Float32Array) => quantiseBlocks(band, inputs, this.#format)
    const values = quantisedBands(this.weights.bands(name), quantise, scales)
    const weight = await onnx.streamed({ name, type: 'uint8', dims }, values)
    const scale = await onnx.tensor(`${name}.scales`, 'float', [outputs, blocks], scales)
    const bias = await this.float.bias(onnx, layer, projection)
    const operands = [entered, weight, scale, ...(bias === undefined ? [] : ['', '', bias])]
    return onnx.node(`layers.${layer}.${projection}`, 'MatMulNBits', operands, {
      domain: MICROSOFT,
      attributes: {
        K: { int: inputs },
        N: { int: outputs },
        bits: { int: bits },
        block_size: { int: blockSize },
        accuracy_level: { int: accuracyLevel },
      },
    })
  }
}
