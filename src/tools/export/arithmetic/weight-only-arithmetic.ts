import type { LlamaConfig } from '../checkpoint/llama-config.ts'
import { EMBEDDING, type Projection, projectionName, projectionShape } from '../checkpoint/tensor-names.ts'
import { type GraphBuilder, MICROSOFT } from '../onnx/onnx-builder.ts'
import { type BlockFormat, blocksOf, quantiseBlocks } from '../quantisation/quantise-blocks.ts'
import type { WeightSource } from '../weights/weight-source.ts'
import type { Arithmetic } from './arithmetic.ts'
import { EightBitTable } from './eight-bit-table.ts'
import { FloatArithmetic } from './float-arithmetic.ts'

export interface WeightOnlyFormat extends BlockFormat {
  /** MatMulNBits' `accuracy_level`. 1: activations stay float32. 4: they become 8-bit, block by block of a row. */
  accuracyLevel: 1 | 4
}

/**
 * Weights of 4 or 8 bits in blocks, activations in float: nothing to calibrate, so a model of any size passes through
 * in constant memory, and a text's vector cannot depend on its batch. Norms and biases stay float, the embedding
 * table has 8 bits.
 */
export class WeightOnlyArithmetic implements Arithmetic {
  readonly activations = 'float'
  readonly #config: LlamaConfig
  readonly #weights: WeightSource
  readonly #format: WeightOnlyFormat
  readonly #float: FloatArithmetic

  constructor(config: LlamaConfig, weights: WeightSource, format: WeightOnlyFormat) {
    this.#config = config
    this.#weights = weights
    this.#format = format
    this.#float = new FloatArithmetic('float', config, weights)
  }

  embed(graph: GraphBuilder, inputIds: string): Promise<string> {
    const { vocabularySize, hiddenSize } = this.#config
    return new EightBitTable(vocabularySize, hiddenSize).lookUp(
      graph,
      inputIds,
      this.#weights.bands(EMBEDDING),
    )
  }

  async enter(_graph: GraphBuilder, input: string): Promise<string> {
    return input
  }

  async project(
    graph: GraphBuilder,
    entered: string,
    layer: number,
    projection: Projection,
  ): Promise<string> {
    const { bits, blockSize, accuracyLevel } = this.#format
    const [outputs, inputs] = projectionShape(this.#config, projection)
    const blocks = blocksOf(inputs, this.#format)
    const name = projectionName(layer, projection)
    const scales = new Float32Array(outputs * blocks)
    const dims = [outputs, blocks, (blockSize * bits) / 8]
    const weight = await graph.streamed({ name, type: 'uint8', dims }, this.#quantised(name, inputs, scales))
    const scale = await graph.tensor(`${name}.scales`, 'float', [outputs, blocks], scales)
    const bias = await this.#float.bias(graph, layer, projection)
    const operands = [entered, weight, scale, ...(bias === undefined ? [] : ['', '', bias])]
    return graph.node(`layers.${layer}.${projection}`, 'MatMulNBits', operands, {
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

  /** Fills `scales` on the way. */
  async *#quantised(name: string, width: number, scales: Float32Array): AsyncIterable<Uint8Array> {
    let done = 0
    for await (const band of this.#weights.bands(name)) {
      const quantised = quantiseBlocks(band, width, this.#format)
      scales.set(quantised.scales, done)
      done += quantised.scales.length
      yield quantised.values
    }
  }

  constant(
    graph: GraphBuilder,
    name: string,
    dims: readonly number[],
    values: Float32Array,
  ): Promise<string> {
    return this.#float.constant(graph, name, dims, values)
  }
}
