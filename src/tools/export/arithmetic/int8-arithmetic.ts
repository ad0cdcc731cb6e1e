import type { LlamaConfig } from '../checkpoint/llama-config.ts'
import { type Projection, projectionName, projectionShape } from '../checkpoint/tensor-names.ts'
import { MICROSOFT, type OnnxBuilder } from '../onnx/onnx-builder.ts'
import { DATA_TYPE } from '../onnx/schema.ts'
import type { QuantisationPlan } from '../quantisation/plan.ts'
import { quantiseProjection, quantiseTable } from '../quantisation/quantise-weights.ts'
import { ENTRY } from '../quantisation/smoothed-weights.ts'
import { transpose } from '../weights/transpose.ts'
import type { WeightSource } from '../weights/weight-source.ts'
import { type Site, siteName } from './arithmetic.ts'
import { QuantisedArithmetic } from './quantised-arithmetic.ts'

/**
 * 8-bit activations times 7-bit weights, summed in 32-bit integers. Activation scales are constants found by
 * calibration, never taken from the batch at hand: a text's vector does not depend on its neighbours. A site left in
 * floating point multiplies floats, but its weights are stored in 8 bits all the same.
 */
export class Int8Arithmetic extends QuantisedArithmetic {
  readonly #plan: QuantisationPlan

  /** `weights` are smoothed by the same plan. */
  constructor(config: LlamaConfig, weights: WeightSource, plan: QuantisationPlan) {
    super(config, weights)
    this.#plan = plan
  }

  override async enter(onnx: OnnxBuilder, input: string, layer: number, site: Site): Promise<string> {
    const name = siteName(layer, site)
    const { float, scale, zeroPoint } = this.#plan.get(name)!
    if (float) return input
    const step = await onnx.tensor(`${name}.scale`, 'float', [], Float32Array.of(scale))
    const zero = await onnx.tensor(`${name}.zero`, 'uint8', [], Uint8Array.of(zeroPoint))
    return onnx.node(`${name}.quantised`, 'QuantizeLinear', [input, step, zero])
  }

  async project(onnx: OnnxBuilder, entered: string, layer: number, projection: Projection): Promise<string> {
    const site = siteName(layer, ENTRY[projection])
    const { float } = this.#plan.get(site)!
    const [outputs, inputs] = projectionShape(this.config, projection)
    const name = projectionName(layer, projection)
    const matrix = await this.weights.read(name)
    const { values, scales } = (float ? quantiseTable : quantiseProjection)(matrix, inputs)
    const weight = await onnx.tensor(name, 'int8', [inputs, outputs], transpose(values, outputs, inputs))
    const scale = await onnx.tensor(`${name}.scales`, 'float', [outputs], scales)
    if (float) {
      // Both operands are constants, so the runtime multiplies them once, when it loads the model.
      const real = onnx.node(`${name}.steps`, 'Cast', [weight], {
        attributes: { to: { int: DATA_TYPE.float } },
      })
      const whole = onnx.node(`${name}.float`, 'Mul', [real, scale])
      return this.float.multiply(onnx, entered, whole, layer, projection)
    }
    const bias = await this.float.bias(onnx, layer, projection)
    const operands = [entered, weight, `${site}.scale`, scale, `${site}.zero`]
    if (bias !== undefined) operands.push('', bias)
    return onnx.node(`layers.${layer}.${projection}`, 'MatMulIntegerToFloat', operands, {
      domain: MICROSOFT,
    })
  }
}
