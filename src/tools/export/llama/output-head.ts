import { TENSORS } from '../../../model/card.ts'
import type { OnnxBuilder } from '../onnx/onnx-builder.ts'
import { type FinalStates, finalNorm, poolAndNormalise } from './pooling.ts'

/** What the model gives of its last states: vectors for an encoder, numbers for a reranker. */
export type OutputHead =
  | { kind: 'embeddings'; pooledTokens: number }
  /** `row`, [hidden], is what a state is multiplied by. */
  | { kind: 'scores'; row: Float32Array }

/** States at the end of each span that the head reads. */
export function pooledTokens(head: OutputHead): number {
  return head.kind === 'embeddings' ? head.pooledTokens : 1
}

export function buildOutput(onnx: OnnxBuilder, head: OutputHead, states: FinalStates): Promise<void> {
  if (head.kind === 'embeddings') return poolAndNormalise(onnx, states, head.pooledTokens)
  return score(onnx, states, head.row)
}

/** Final norm and one product, in single precision whatever went before: [batch, groups]. */
async function score(onnx: OnnxBuilder, states: FinalStates, row: Float32Array): Promise<void> {
  const normed = await finalNorm(onnx, states)
  const weight = await onnx.tensor('score_row', 'float', [row.length, 1], row)
  const product = onnx.node('score_product', 'MatMul', [normed, weight])
  onnx.node(TENSORS.scores, 'Squeeze', [product, await onnx.ints('score_axis', [2])])
  onnx.output(TENSORS.scores, 'float', ['batch', 'groups'])
}
