import type { LlamaConfig } from './checkpoint/llama-config.ts'
import { expectedTensors, PROJECTIONS, projectionShape } from './checkpoint/tensor-names.ts'
import type { Precision, Scheme } from './quantisation/scheme.ts'

/** Bytes of a block's scale spread over its 32 weights. */
const SCALE_BYTES = 4 / 32

/** Numbers in the tensors that are exported; the LM head is not among them. */
export function parameterCount(config: LlamaConfig): number {
  const shapes = [...expectedTensors(config).values()]
  return shapes.reduce((sum, shape) => sum + shape.reduce((product, dim) => product * dim, 1), 0)
}

/** About how many bytes a model's weights take on disk. */
export function storedBytes(config: LlamaConfig, precision: Precision, scheme?: Scheme): number {
  const all = parameterCount(config)
  if (!scheme) return all * (precision === 'fp16' ? 2 : 4)
  const embedding = config.vocabularySize * config.hiddenSize
  const projections = PROJECTIONS.map((projection) => projectionShape(config, projection))
  const layer = projections.reduce((sum, [outputs, inputs]) => sum + outputs * inputs, 0)
  const multiplied = config.layers * layer
  const scales = scheme.kind === 'weight-only' ? SCALE_BYTES : 0
  const rest = all - embedding - multiplied
  return Math.ceil(embedding * (1 + SCALE_BYTES) + multiplied * (scheme.bits / 8 + scales) + rest * 4)
}
