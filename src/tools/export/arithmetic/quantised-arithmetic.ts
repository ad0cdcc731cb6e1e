import type { LlamaConfig } from '../checkpoint/llama-config.ts'
import { EMBEDDING, type Projection } from '../checkpoint/tensor-names.ts'
import type { OnnxBuilder } from '../onnx/onnx-builder.ts'
import type { WeightSource } from '../weights/weight-source.ts'
import type { Arithmetic, Site } from './arithmetic.ts'
import { EightBitTable } from './eight-bit-table.ts'
import { FloatArithmetic } from './float-arithmetic.ts'

/**
 * What the precisions of few bits share: float32 between operators, norms and biases in float32, and an embedding
 * table of 8 bits. How a projection is stored and multiplied is each one's own.
 */
export abstract class QuantisedArithmetic implements Arithmetic {
  readonly activations = 'float'
  protected readonly config: LlamaConfig
  protected readonly weights: WeightSource
  /** For what stays in floating point. */
  protected readonly float: FloatArithmetic

  constructor(config: LlamaConfig, weights: WeightSource) {
    this.config = config
    this.weights = weights
    this.float = new FloatArithmetic('float', config, weights)
  }

  embed(onnx: OnnxBuilder, inputIds: string): Promise<string> {
    const { vocabularySize, hiddenSize } = this.config
    const table = new EightBitTable(vocabularySize, hiddenSize)
    return table.lookUp(onnx, inputIds, this.weights.bands(EMBEDDING))
  }

  async enter(_onnx: OnnxBuilder, input: string, _layer: number, _site: Site): Promise<string> {
    return input
  }

  abstract project(onnx: OnnxBuilder, entered: string, layer: number, projection: Projection): Promise<string>

  constant(onnx: OnnxBuilder, name: string, dims: readonly number[], values: Float32Array): Promise<string> {
    return this.float.constant(onnx, name, dims, values)
  }
}
