import type { LlamaConfig } from '../checkpoint/llama-config.ts'
import { type GraphBuilder, MICROSOFT } from '../onnx/graph-builder.ts'
import type { DataType } from '../onnx/schema.ts'
import type { Layout } from './layout.ts'

/** Values shared by the attention of all layers. */
export interface AttentionConstants {
  cos: string
  sin: string
  /** Shapes that repeat each key-value head for its group of query heads; absent when heads are equal. */
  repeat?: { split: string; times: string; join: string }
}

export async function attentionConstants(
  graph: GraphBuilder,
  config: LlamaConfig,
  tables: { cos: string; sin: string },
): Promise<AttentionConstants> {
  const { attentionHeads, keyValueHeads, headSize } = config
  if (attentionHeads === keyValueHeads) return tables
  return {
    ...tables,
    repeat: {
      split: await graph.ints('heads_split', [0, 0, keyValueHeads, 1, headSize]),
      times: await graph.ints('heads_times', [1, 1, 1, attentionHeads / keyValueHeads, 1]),
      join: await graph.ints('heads_join', [0, 0, attentionHeads * headSize]),
    },
  }
}

/** Rotates queries or keys, [batch, tokens, heads * headSize], by their positions. */
export function rotate(
  graph: GraphBuilder,
  name: string,
  input: string,
  positions: string,
  { cos, sin }: AttentionConstants,
): string {
  return graph.node(name, 'RotaryEmbedding', [input, positions, cos, sin], { domain: MICROSOFT })
}

/** Keys or values with each head repeated for the query heads that share it. */
export function repeatHeads(
  graph: GraphBuilder,
  name: string,
  input: string,
  { repeat }: AttentionConstants,
): string {
  if (!repeat) return input
  const split = graph.node(`${name}.split`, 'Reshape', [input, repeat.split])
  const expanded = graph.node(`${name}.expanded`, 'Expand', [split, repeat.times])
  return graph.node(`${name}.repeated`, 'Reshape', [expanded, repeat.join])
}

/**
 * Attention of every token, [batch, tokens, heads * headSize].
 *
 * The plain pass is causal with neither bias nor mask: right padding needs none, and only so do CUDA's Flash
 * kernels run. The joint pass adds its bias; an `If` picks, so the plain pass never pays for it.
 */
export function attendAll(
  graph: GraphBuilder,
  name: string,
  [queries, keys, values]: readonly [string, string, string],
  config: LlamaConfig,
  layout: Layout,
  type: DataType,
): string {
  const inputs = [queries, keys, values]
  const options = {
    domain: MICROSOFT,
    attributes: { num_heads: { int: config.attentionHeads }, unidirectional: { int: 1 } },
  }
  const joint = graph.branch(`${name}.joint_pass`)
  const biased = joint.node(
    `${name}.joint`,
    'MultiHeadAttention',
    [...inputs, '', '', layout.jointBias],
    options,
  )
  joint.output(biased, type)
  const plain = graph.branch(`${name}.plain_pass`)
  plain.output(plain.node(`${name}.plain`, 'MultiHeadAttention', inputs, options), type)
  return graph.choose(name, layout.joint, joint, plain)
}

/** Attention of the pooled rows only; their bias carries causality, since rows and columns no longer align. */
export function attendRows(
  graph: GraphBuilder,
  name: string,
  [queries, keys, values]: readonly [string, string, string],
  config: LlamaConfig,
  layout: Layout,
): string {
  return graph.node(name, 'MultiHeadAttention', [queries, keys, values, '', '', layout.rowBias], {
    domain: MICROSOFT,
    attributes: { num_heads: { int: config.attentionHeads } },
  })
}
