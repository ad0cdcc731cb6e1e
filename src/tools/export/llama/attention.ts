import type { LlamaConfig } from '../checkpoint/llama-config.ts'
import { MICROSOFT, type OnnxBuilder } from '../onnx/onnx-builder.ts'
import type { DataType } from '../onnx/schema.ts'
import type { Layout } from './layout.ts'

/** What the attention of all layers shares. */
export interface AttentionContext {
  config: LlamaConfig
  layout: Layout
  /** Number type of activations. */
  type: DataType
  /** Rotary tables. */
  cos: string
  sin: string
  /** Shapes that repeat each key-value head for its group of query heads; absent when heads are equal. */
  repeat?: { split: string; times: string; join: string }
}

export async function attentionContext(
  onnx: OnnxBuilder,
  context: Omit<AttentionContext, 'repeat'>,
): Promise<AttentionContext> {
  const { attentionHeads, keyValueHeads, headSize } = context.config
  if (attentionHeads === keyValueHeads) return context
  return {
    ...context,
    repeat: {
      split: await onnx.ints('heads_split', [0, 0, keyValueHeads, 1, headSize]),
      times: await onnx.ints('heads_times', [1, 1, 1, attentionHeads / keyValueHeads, 1]),
      join: await onnx.ints('heads_join', [0, 0, attentionHeads * headSize]),
    },
  }
}

/** Rotates queries or keys, [batch, tokens, heads * headSize], by their positions. */
export function rotate(
  onnx: OnnxBuilder,
  name: string,
  input: string,
  positions: string,
  { cos, sin }: AttentionContext,
): string {
  return onnx.node(name, 'RotaryEmbedding', [input, positions, cos, sin], { domain: MICROSOFT })
}

/** Keys or values with each head repeated for the query heads that share it. */
function repeatHeads(onnx: OnnxBuilder, name: string, input: string, { repeat }: AttentionContext): string {
  if (!repeat) return input
  const split = onnx.node(`${name}.split`, 'Reshape', [input, repeat.split])
  const expanded = onnx.node(`${name}.expanded`, 'Expand', [split, repeat.times])
  return onnx.node(`${name}.repeated`, 'Reshape', [expanded, repeat.join])
}

/**
 * Attention of every token, [batch, tokens, heads * headSize]; keys and values as projected, not repeated.
 *
 * The plain pass is causal with neither bias nor mask: right padding needs none, since no token sees what stands to
 * its right, and only so do CUDA's Flash kernels run. Every row is declared full length. On the CPU
 * GroupQueryAttention beats MultiHeadAttention even with equal heads, as it spends nothing on the masked half. The
 * joint pass adds its bias, which GroupQueryAttention does not take on every device; an `If` picks, so that the plain
 * pass never pays for it.
 */
export function attendAll(
  onnx: OnnxBuilder,
  name: string,
  [queries, keys, values]: readonly [string, string, string],
  context: AttentionContext,
): string {
  const { config, layout, type } = context
  const joint = onnx.branch(`${name}.joint_pass`)
  const repeated = [
    repeatHeads(joint, `${name}.keys`, keys, context),
    repeatHeads(joint, `${name}.values`, values, context),
  ]
  const biased = [queries, ...repeated, '', '', layout.jointBias]
  joint.node(`${name}.joint`, 'MultiHeadAttention', biased, {
    domain: MICROSOFT,
    attributes: { num_heads: { int: config.attentionHeads }, unidirectional: { int: 1 } },
  })
  joint.output(`${name}.joint`, type)

  const plain = onnx.branch(`${name}.plain_pass`)
  const fullRows = ['', '', layout.lastTokens, layout.tokenCount]
  plain.node(`${name}.plain`, 'GroupQueryAttention', [queries, keys, values, ...fullRows], {
    domain: MICROSOFT,
    attributes: { num_heads: { int: config.attentionHeads }, kv_num_heads: { int: config.keyValueHeads } },
    outputs: [`${name}.plain`, `${name}.present_keys`, `${name}.present_values`],
  })
  plain.output(`${name}.plain`, type)
  return onnx.choose(name, layout.joint, joint, plain)
}

/** Attention of the pooled rows only; their bias carries causality, since rows and columns no longer align. */
export function attendRows(
  onnx: OnnxBuilder,
  name: string,
  [queries, keys, values]: readonly [string, string, string],
  context: AttentionContext,
): string {
  const repeated = [
    repeatHeads(onnx, `${name}.keys`, keys, context),
    repeatHeads(onnx, `${name}.values`, values, context),
  ]
  return onnx.node(name, 'MultiHeadAttention', [queries, ...repeated, '', '', context.layout.rowBias], {
    domain: MICROSOFT,
    attributes: { num_heads: { int: context.config.attentionHeads } },
  })
}
