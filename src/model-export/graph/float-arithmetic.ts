import type { LlamaConfig } from '../checkpoint/llama-config.ts'
import { EMBEDDING, type Projection, projectionName, projectionShape } from '../checkpoint/tensor-names.ts'
import type { WeightSource } from '../checkpoint/weight-source.ts'
import { float32ToFloat16 } from '../float-formats.ts'
import type { GraphBuilder } from '../onnx/graph-builder.ts'
import { transpose } from '../transpose.ts'
import type { Arithmetic } from './arithmetic.ts'

/** Plain floating point: `float` for fp32, `float16` for fp16. */
export class FloatArithmetic implements Arithmetic {
  readonly activations: 'float' | 'float16'
  readonly #config: LlamaConfig
  readonly #weights: WeightSource

  constructor(activations: 'float' | 'float16', config: LlamaConfig, weights: WeightSource) {
    this.activations = activations
    this.#config = config
    this.#weights = weights
  }

  async embed(graph: GraphBuilder, inputIds: string): Promise<string> {
    const { vocabularySize, hiddenSize } = this.#config
    const table = await this.#weights.read(EMBEDDING)
    const name = await this.constant(graph, EMBEDDING, [vocabularySize, hiddenSize], table)
    return graph.node('embed', 'Gather', [name, inputIds])
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
    const [output, input] = projectionShape(this.#config, projection)
    const name = projectionName(layer, projection)
    const weight = transpose(await this.#weights.read(name), output, input)
    const stored = await this.constant(graph, name, [input, output], weight)
    return graph.node(`layers.${layer}.${projection}`, 'MatMul', [entered, stored])
  }

  constant(
    graph: GraphBuilder,
    name: string,
    dims: readonly number[],
    values: Float32Array,
  ): Promise<string> {
    const data = this.activations === 'float16' ? float32ToFloat16(values) : values
    return graph.tensor(name, this.activations, dims, data)
  }
}
