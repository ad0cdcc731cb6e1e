import { TENSORS } from '../../../model/card.ts'
import type { Arithmetic } from '../arithmetic/arithmetic.ts'
import type { OnnxBuilder } from '../onnx/onnx-builder.ts'
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
  onnx: OnnxBuilder,
  arithmetic: Arithmetic,
  pooledTokens: number,
): Promise<Layout> {
  const inputIds = onnx.input(TENSORS.inputIds, 'int64', ['batch', 'tokens'])
  const spans = onnx.input(TENSORS.spans, 'int64', ['batch', 'groups', 2])
  const zero = await onnx.ints('zero', 0)
  const one = await onnx.ints('one', 1)
  const axis0 = await onnx.ints('axis_0', [0])
  const axis1 = await onnx.ints('axis_1', [1])
  const axis2 = await onnx.ints('axis_2', [2])
  const along = (axis: number) => ({ attributes: { axis: { int: axis } } })

  const shape = onnx.node('ids_shape', 'Shape', [inputIds])
  const tokens = onnx.node('tokens', 'Gather', [shape, one])
  const columns = onnx.node('columns', 'Range', [zero, tokens, one])
  const int32 = { attributes: { to: { int: DATA_TYPE.int32 } } }
  const tokenCount = onnx.node('token_count', 'Cast', [tokens], int32)
  const lastToken = onnx.node('last_token', 'Cast', [onnx.node('last', 'Sub', [tokens, one])], int32)
  const batch = onnx.node('batch_size', 'Gather', [shape, axis0])
  const lastTokens = onnx.node('last_tokens', 'Expand', [lastToken, batch])
  const groups = onnx.node('group_count', 'Gather', [onnx.node('spans_shape', 'Shape', [spans]), one])
  const joint = onnx.node('joint', 'Greater', [groups, one])

  const self = onnx.node('self', 'Gather', [spans, zero], along(1))
  const selfStart = onnx.node('self_start', 'Gather', [self, axis0], along(1))
  const selfEnd = onnx.node('self_end', 'Gather', [self, axis1], along(1))
  const selfLength = onnx.node('self_length', 'Sub', [selfEnd, selfStart])

  /** For token indices of any rank: are they past SELF, and where do they stand. */
  const place = (name: string, indices: string, end: string, length: string) => {
    const past = onnx.node(`${name}_past_self`, 'GreaterOrEqual', [indices, end])
    const moved = onnx.node(`${name}_moved`, 'Sub', [indices, length])
    return { past, position: onnx.node(`${name}_positions`, 'Where', [past, moved, indices]) }
  }
  const all = place('token', columns, selfEnd, selfLength)
  const fromSelf = onnx.node('from_self', 'GreaterOrEqual', [columns, selfStart])
  const beforeEnd = onnx.node('before_self_end', 'Less', [columns, selfEnd])
  const inSelf = onnx.node('in_self', 'And', [fromSelf, beforeEnd])
  const selfColumns = onnx.node('self_columns', 'Unsqueeze', [inSelf, axis1])

  const blocked = await arithmetic.constant(onnx, 'blocked', [], Float32Array.of(BLOCKED))
  const open = await arithmetic.constant(onnx, 'open', [], Float32Array.of(0))
  const bias = (target: OnnxBuilder, name: string, mask: string) => {
    const values = target.node(`${name}_values`, 'Where', [mask, blocked, open])
    return target.node(name, 'Unsqueeze', [values, axis1])
  }

  const withBias = onnx.branch('joint_bias')
  const jointRows = withBias.node('joint_rows', 'Unsqueeze', [all.past, axis2])
  const jointMask = withBias.node('joint_mask', 'And', [jointRows, selfColumns])
  withBias.output(bias(withBias, 'joint_bias_built', jointMask), arithmetic.activations)
  const withoutBias = onnx.branch('no_bias')
  withoutBias.output(withoutBias.node('no_bias_needed', 'Identity', [open]), arithmetic.activations)
  const jointBias = onnx.choose('joint_bias', joint, withBias, withoutBias)

  const offsets = await onnx.ints(
    'pooled_offsets',
    Array.from({ length: pooledTokens }, (_, i) => i - pooledTokens),
  )
  const ends = onnx.node('ends', 'Gather', [spans, axis1], along(2))
  const pooled = onnx.node('pooled', 'Add', [ends, offsets])
  const flat = onnx.node('pooled_flat', 'Reshape', [pooled, await onnx.ints('flat_shape', [0, -1])])
  const row = place('row', flat, selfEnd, selfLength)
  const rows = onnx.node('rows', 'Unsqueeze', [flat, axis2])
  const later = onnx.node('later', 'Greater', [columns, rows])
  const rowsPast = onnx.node('rows_past', 'Unsqueeze', [row.past, axis2])
  const hidden = onnx.node('row_self', 'And', [rowsPast, selfColumns])
  const rowBias = bias(onnx, 'row_bias', onnx.node('row_mask', 'Or', [later, hidden]))

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
