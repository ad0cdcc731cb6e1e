import { TENSORS } from '../../../model/card.ts'
import type { Arithmetic } from '../arithmetic/arithmetic.ts'
import type { LlamaConfig } from '../checkpoint/llama-config.ts'
import { FINAL_NORM } from '../checkpoint/tensor-names.ts'
import type { GraphBuilder } from '../onnx/onnx-builder.ts'
import { DATA_TYPE } from '../onnx/schema.ts'
import type { Layout } from './layout.ts'

export interface PoolingOptions {
  config: LlamaConfig
  arithmetic: Arithmetic
  layout: Layout
  pooledTokens: number
  /** States of the pooled rows before the final norm, [batch, groups * pooledTokens, hidden]. */
  states: string
  /** The final norm's weight. */
  weight: Float32Array
}

/** Keeps a zero vector from becoming not-a-number. */
const LENGTH_MIN = 1e-12

/** Final norm, mean over each group's pooled rows, unit length; in single precision whatever went before. */
export async function poolAndNormalise(graph: GraphBuilder, options: PoolingOptions): Promise<void> {
  const { config, pooledTokens } = options
  const half = options.arithmetic.activations === 'float16'
  const states = half
    ? graph.node('states_float', 'Cast', [options.states], { attributes: { to: { int: DATA_TYPE.float } } })
    : options.states
  const weight = await graph.tensor(FINAL_NORM, 'float', [config.hiddenSize], options.weight)
  const normed = graph.node('final_norm', 'SimplifiedLayerNormalization', [states, weight], {
    attributes: { epsilon: { float: config.normEpsilon } },
  })
  const shape = await graph.ints('grouped_shape', [0, -1, pooledTokens, config.hiddenSize])
  const grouped = graph.node('grouped', 'Reshape', [normed, shape])
  const mean = graph.node('mean', 'ReduceMean', [grouped, await graph.ints('pool_axis', [2])], {
    attributes: { keepdims: { int: 0 } },
  })
  const length = graph.node('length', 'ReduceL2', [mean, await graph.ints('norm_axis', [-1])])
  const smallest = await graph.tensor('length_min', 'float', [], Float32Array.of(LENGTH_MIN))
  const safe = graph.node('safe_length', 'Max', [length, smallest])
  graph.node(TENSORS.embeddings, 'Div', [mean, safe])
  graph.output(TENSORS.embeddings, 'float', ['batch', 'groups', config.hiddenSize])
}
