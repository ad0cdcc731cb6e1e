import { TENSORS } from '../../../model/card.ts'
import type { Arithmetic } from '../arithmetic/arithmetic.ts'
import type { GraphBuilder } from '../onnx/onnx-builder.ts'
import { DATA_TYPE } from '../onnx/schema.ts'

/** Added to an attention score that must not count: exp of it is 0, and half precision can hold it. */
const BLOCKED = -10_000

/** Values derived from the two inputs, shared by all layers. */
export interface Layout {
  inputIds: string
  /** Rotary position of each token, int64 [batch, tokens]. */
  positions: string
  /** bool: two groups, so the joint pass. */
  joint: string
  /** Attention bias of the joint pass, [batch, 1, tokens, tokens]; only its `If` branch computes it. */
  jointBias: string
  /** The pooled tokens: index in the row [batch, pooled, 1], rotary position [batch, pooled]. */
  rows: string
  rowPositions: string
  /** Attention bias of the pooled rows, causality included, [batch, 1, pooled, tokens]. */
  rowBias: string
  /** Tokens in a row, int32, and the index of the last one for each row, int32 [batch]: every row is full. */
  tokenCount: string
  lastTokens: string
}

/**
 * Reads positions and masks off `spans`.
 *
 * In the joint pass SELF's tokens and NEXT's do not see each other, and NEXT's positions restart where SELF's start
 * (LLaRA, section 3). A token at or past SELF's end therefore stands as many positions lower as SELF is long. With
 * one group only padding comes after, so the same rule serves both passes.
 */
export async function buildLayout(
  graph: GraphBuilder,
  arithmetic: Arithmetic,
  pooledTokens: number,
): Promise<Layout> {
  const inputIds = graph.input(TENSORS.inputIds, 'int64', ['batch', 'tokens'])
  const spans = graph.input(TENSORS.spans, 'int64', ['batch', 'groups', 2])
  const zero = await graph.ints('zero', 0)
  const one = await graph.ints('one', 1)
  const axis0 = await graph.ints('axis_0', [0])
  const axis1 = await graph.ints('axis_1', [1])
  const axis2 = await graph.ints('axis_2', [2])
  const along = (axis: number) => ({ attributes: { axis: { int: axis } } })

  const shape = graph.node('ids_shape', 'Shape', [inputIds])
  const tokens = graph.node('tokens', 'Gather', [shape, one])
  const columns = graph.node('columns', 'Range', [zero, tokens, one])
  const int32 = { attributes: { to: { int: DATA_TYPE.int32 } } }
  const tokenCount = graph.node('token_count', 'Cast', [tokens], int32)
  const lastToken = graph.node('last_token', 'Cast', [graph.node('last', 'Sub', [tokens, one])], int32)
  const batch = graph.node('batch_size', 'Gather', [shape, axis0])
  const lastTokens = graph.node('last_tokens', 'Expand', [lastToken, batch])
  const groups = graph.node('group_count', 'Gather', [graph.node('spans_shape', 'Shape', [spans]), one])
  const joint = graph.node('joint', 'Greater', [groups, one])

  const self = graph.node('self', 'Gather', [spans, zero], along(1))
  const selfStart = graph.node('self_start', 'Gather', [self, axis0], along(1))
  const selfEnd = graph.node('self_end', 'Gather', [self, axis1], along(1))
  const selfLength = graph.node('self_length', 'Sub', [selfEnd, selfStart])

  /** For token indices of any rank: are they past SELF, and where do they stand. */
  const place = (name: string, indices: string, end: string, length: string) => {
    const past = graph.node(`${name}_past_self`, 'GreaterOrEqual', [indices, end])
    const moved = graph.node(`${name}_moved`, 'Sub', [indices, length])
    return { past, position: graph.node(`${name}_positions`, 'Where', [past, moved, indices]) }
  }
  const all = place('token', columns, selfEnd, selfLength)
  const fromSelf = graph.node('from_self', 'GreaterOrEqual', [columns, selfStart])
  const beforeEnd = graph.node('before_self_end', 'Less', [columns, selfEnd])
  const inSelf = graph.node('in_self', 'And', [fromSelf, beforeEnd])
  const selfColumns = graph.node('self_columns', 'Unsqueeze', [inSelf, axis1])

  const blocked = await arithmetic.constant(graph, 'blocked', [], Float32Array.of(BLOCKED))
  const open = await arithmetic.constant(graph, 'open', [], Float32Array.of(0))
  const bias = (target: GraphBuilder, name: string, mask: string) => {
    const values = target.node(`${name}_values`, 'Where', [mask, blocked, open])
    return target.node(name, 'Unsqueeze', [values, axis1])
  }

  const withBias = graph.branch('joint_bias')
  const jointRows = withBias.node('joint_rows', 'Unsqueeze', [all.past, axis2])
  const jointMask = withBias.node('joint_mask', 'And', [jointRows, selfColumns])
  withBias.output(bias(withBias, 'joint_bias_built', jointMask), arithmetic.activations)
  const withoutBias = graph.branch('no_bias')
  withoutBias.output(withoutBias.node('no_bias_needed', 'Identity', [open]), arithmetic.activations)
  const jointBias = graph.choose('joint_bias', joint, withBias, withoutBias)

  const offsets = await graph.ints(
    'pooled_offsets',
    Array.from({ length: pooledTokens }, (_, i) => i - pooledTokens),
  )
  const ends = graph.node('ends', 'Gather', [spans, axis1], along(2))
  const pooled = graph.node('pooled', 'Add', [ends, offsets])
  const flat = graph.node('pooled_flat', 'Reshape', [pooled, await graph.ints('flat_shape', [0, -1])])
  const row = place('row', flat, selfEnd, selfLength)
  const rows = graph.node('rows', 'Unsqueeze', [flat, axis2])
  const later = graph.node('later', 'Greater', [columns, rows])
  const rowsPast = graph.node('rows_past', 'Unsqueeze', [row.past, axis2])
  const hidden = graph.node('row_self', 'And', [rowsPast, selfColumns])
  const rowBias = bias(graph, 'row_bias', graph.node('row_mask', 'Or', [later, hidden]))

  return {
    inputIds,
    positions: all.position,
    joint,
    jointBias,
    rows,
    rowPositions: row.position,
    rowBias,
    tokenCount,
    lastTokens,
  }
}
