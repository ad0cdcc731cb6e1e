import type { LlamaConfig } from './checkpoint/llama-config.ts'
import { expectedTensors } from './checkpoint/tensor-names.ts'

/** Numbers in the tensors the graph keeps; the LM head is not among them. */
export function parameterCount(config: LlamaConfig): number {
  const shapes = [...expectedTensors(config).values()]
  return shapes.reduce((sum, shape) => sum + shape.reduce((product, dim) => product * dim, 1), 0)
}
