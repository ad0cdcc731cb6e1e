import type { LlamaConfig } from '../checkpoint/llama-config.ts'
import { EMBEDDING, type Projection, projectionName, projectionShape } from '../checkpoint/tensor-names.ts'
import { type GraphBuilder, MICROSOFT } from '../onnx/onnx-builder.ts'
import { DATA_TYPE } from '../onnx/schema.ts'
import type { QuantisationPlan } from '../quantisation/plan.ts'
import { quantiseProjection, quantiseTable } from '../quantisation/quantise-weights.ts'
import { ENTRY } from '../quantisation/smoothed-weights.ts'
import { transpose } from '../weights/transpose.ts'
import type { WeightSource } from '../weights/weight-source.ts'
import { type Arithmetic, type Site, siteName } from './arithmetic.ts'
import { EightBitTable } from './eight-bit-table.ts'
import { FloatArithmetic } from './float-arithmetic.ts'

/**
 * 8-bit activations times 7-bit weights, summed in 32-bit integers. Activation scales are constants found by
 * calibration, never taken from the batch at hand: a text's vector does not depend on its neighbours. A site left in
 * floating point multiplies floats, but its weights are stored in 8 bits all the same.
 */
export class Int8Arithmetic implements Arithmetic {
  readonly activations = 'float'
  readonly #config: LlamaConfig
  readonly #weights: WeightSource
  readonly #plan: QuantisationPlan
  readonly #float: FloatArithmetic

  /** `weights` are smoothed by the same plan. */
  constructor(config: LlamaConfig, weights: WeightSource, plan: QuantisationPlan) {
    this.#config = config
    this.#weights = weights
    this.#plan = plan
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

  async enter(graph: GraphBuilder, input: string, layer: number, site: Site): Promise<string> {
    const name = siteName(layer, site)
    const { float, scale, zeroPoint } = this.#plan.get(name)!
    if (float) return input
    const step = await graph.tensor(`${name}.scale`, 'float', [], Float32Array.of(scale))
    const zero = await graph.tensor(`${name}.zero`, 'uint8', [], Uint8Array.of(zeroPoint))
    return graph.node(`${name}.quantised`, 'QuantizeLinear', [input, step, zero])
  }

  async project(
    graph: GraphBuilder,
    entered: string,
    layer: number,
    projection: Projection,
  ): Promise<string> {
    const site = siteName(layer, ENTRY[projection])
    const { float } = this.#plan.get(site)!
    const [outputs, inputs] = projectionShape(this.#config, projection)
    const name = projectionName(layer, projection)
    const matrix = await this.#weights.read(name)
    const { values, scales } = (float ? quantiseTable : quantiseProjection)(matrix, inputs)
    const weight = await graph.tensor(name, 'int8', [inputs, outputs], transpose(values, outputs, inputs))
    const scale = await graph.tensor(`${name}.scales`, 'float', [outputs], scales)
    if (float) {
      // Both operands are constants, so the runtime multiplies them once, when it loads the graph.
      const real = graph.node(`${name}.steps`, 'Cast', [weight], {
        attributes: { to: { int: DATA_TYPE.float } },
      })
      const whole = graph.node(`${name}.float`, 'Mul', [real, scale])
      return this.#float.multiply(graph, entered, whole, layer, projection)
    }
    const bias = await this.#float.bias(graph, layer, projection)
    const operands = [entered, weight, `${site}.scale`, scale, `${site}.zero`]
    if (bias !== undefined) operands.push('', bias)
    return graph.node(`layers.${layer}.${projection}`, 'MatMulIntegerToFloat', operands, {
      domain: MICROSOFT,
    })
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
