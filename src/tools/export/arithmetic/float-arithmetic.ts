import type { LlamaConfig } from '../checkpoint/llama-config.ts'
import {
  biasName,
  EMBEDDING,
  type Projection,
  projectionName,
  projectionShape,
} from '../checkpoint/tensor-names.ts'
import type { OnnxBuilder } from '../onnx/onnx-builder.ts'
import { float32ToFloat16 } from '../weights/float-formats.ts'
import { transposedBands } from '../weights/transpose.ts'
import type { WeightSource } from '../weights/weight-source.ts'
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

  async embed(onnx: OnnxBuilder, inputIds: string): Promise<string> {
    const { vocabularySize, hiddenSize } = this.#config
    const header = { name: EMBEDDING, type: this.activations, dims: [vocabularySize, hiddenSize] }
    await onnx.streamed(header, this.#stored(EMBEDDING))
    return onnx.node('embed', 'Gather', [EMBEDDING, inputIds])
  }

  async enter(_onnx: OnnxBuilder, input: string): Promise<string> {
    return input
  }

  async project(onnx: OnnxBuilder, entered: string, layer: number, projection: Projection): Promise<string> {
    const [output, input] = projectionShape(this.#config, projection)
    const name = projectionName(layer, projection)
    const single = this.activations === 'float'
    const weight = single ? await this.#weights.read(name) : await this.#half(name, output * input)
    const header = { name, type: this.activations, dims: [input, output] }
    await onnx.streamed(header, transposedBands<Float32Array | Uint16Array>(weight, output, input))
    return this.multiply(onnx, entered, name, layer, projection)
  }

  /** MatMul by a stored [input, output] weight, and the projection's bias where it has one. */
  async multiply(
    onnx: OnnxBuilder,
    entered: string,
    weight: string,
    layer: number,
    projection: Projection,
  ): Promise<string> {
    const name = `layers.${layer}.${projection}`
    const bias = await this.bias(onnx, layer, projection)
    if (bias === undefined) return onnx.node(name, 'MatMul', [entered, weight])
    return onnx.node(name, 'Add', [onnx.node(`${name}.product`, 'MatMul', [entered, weight]), bias])
  }

  /** The projection's bias, [output], as a constant; undefined where the model has none. */
  async bias(onnx: OnnxBuilder, layer: number, projection: Projection): Promise<string | undefined> {
    const name = biasName(this.#config, layer, projection)
    if (name === undefined) return undefined
    const values = await this.#weights.read(name)
    return this.constant(onnx, name, [values.length], values)
  }

  /** A tensor's bands as they are stored. */
  async *#stored(name: string): AsyncIterable<Float32Array | Uint16Array> {
    for await (const band of this.#weights.bands(name)) {
      yield this.activations === 'float16' ? float32ToFloat16(band) : band
    }
  }

  /** A whole tensor in half precision, never whole in single. */
  async #half(name: string, numbers: number): Promise<Uint16Array> {
    const whole = new Uint16Array(numbers)
    let done = 0
    for await (const band of this.#weights.bands(name)) {
      whole.set(float32ToFloat16(band), done)
      done += band.length
    }
    return whole
  }

  constant(onnx: OnnxBuilder, name: string, dims: readonly number[], values: Float32Array): Promise<string> {
    const data = this.activations === 'float16' ? float32ToFloat16(values) : values
    return onnx.tensor(name, this.activations, dims, data)
  }
}
