import type { Projection } from '../checkpoint/tensor-names.ts'
import type { OnnxBuilder } from '../onnx/onnx-builder.ts'

/** The four places of a layer where activations enter linear maps: q, k, v share one; gate and up another. */
export type Site = 'attention' | 'output' | 'mlp' | 'down'

export function siteName(layer: number, site: Site): string {
  return `layers.${layer}.${site}`
}

/** How a precision stores weights and multiplies by them. Everything else of the model is common to all. */
export interface Arithmetic {
  /** Number type of the activations between operators. */
  readonly activations: 'float' | 'float16'
  /** Rows of the embedding table, [batch, tokens, hidden]. */
  embed(onnx: OnnxBuilder, inputIds: string): Promise<string>
  /** Makes activations ready to be projected, once for all projections of the site. */
  enter(onnx: OnnxBuilder, input: string, layer: number, site: Site): Promise<string>
  /** Multiplies what `enter` returned by a projection's weights. */
  project(onnx: OnnxBuilder, entered: string, layer: number, projection: Projection): Promise<string>
  /** A float constant in the activations' type. */
  constant(onnx: OnnxBuilder, name: string, dims: readonly number[], values: Float32Array): Promise<string>
}
