import { TENSORS } from '../../../model/card.ts'
import type { Arithmetic } from '../arithmetic/arithmetic.ts'
import type { LlamaConfig } from '../checkpoint/llama-config.ts'
import { FINAL_NORM } from '../checkpoint/tensor-names.ts'
import type { OnnxBuilder } from '../onnx/onnx-builder.ts'
import { DATA_TYPE } from '../onnx/schema.ts'

/** What the layers leave. */
export interface FinalStates {
  config: LlamaConfig
  arithmetic: Arithmetic
  /** States of the pooled rows before the final norm, [batch, groups * pooledTokens, hidden]. */
  states: string
  /** The final norm's weight. */
  weight: Float32Array
}

/** Keeps a zero vector from becoming not-a-number. */
const LENGTH_MIN = 1e-12

/** The pooled rows after the final norm; in single precision whatever went before. */
export async function finalNorm(onnx: OnnxBuilder, options: FinalStates): Promise<string> {
  const { config } = options
  const half = options.arithmetic.activations === 'float16'
  const states = half
    ? onnx.node('states_float', 'Cast', [options.states], { attributes: { to: { int: DATA_TYPE.float } } })
    : options.states
  const weight = await onnx.tensor(FINAL_NORM, 'float', [config.hiddenSize], options.weight)
  return onnx.node('final_norm', 'SimplifiedLayerNormalization', [states, weight], {
    attributes: { epsilon: { float: config.normEpsilon } },
  })
}

/** Final norm, mean over each group's pooled rows, unit length. */
export async function poolAndNormalise(
  onnx: OnnxBuilder,
  states: FinalStates,
  pooledTokens: number,
): Promise<void> {
  const { config } = states
  const normed = await finalNorm(onnx, states)
  const shape = await onnx.ints('grouped_shape', [0, -1, pooledTokens, config.hiddenSize])
  const grouped = onnx.node('grouped', 'Reshape', [normed, shape])
  const mean = onnx.node('mean', 'ReduceMean', [grouped, await onnx.ints('pool_axis', [2])], {
    attributes: { keepdims: { int: 0 } },
  })
  const length = onnx.node('length', 'ReduceL2', [mean, await onnx.ints('norm_axis', [-1])])
  const smallest = await onnx.tensor('length_min', 'float', [], Float32Array.of(LENGTH_MIN))
  const safe = onnx.node('safe_length', 'Max', [length, smallest])
  onnx.node(TENSORS.embeddings, 'Div', [mean, safe])
  onnx.output(TENSORS.embeddings, 'float', ['batch', 'groups', config.hiddenSize])
}
