import type { LlamaConfig } from './llama-config.ts'

/** The linear maps of one layer, in the order they run. */
export const PROJECTIONS = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const
export type Projection = (typeof PROJECTIONS)[number]

export const EMBEDDING = 'embed_tokens.weight'
export const FINAL_NORM = 'norm.weight'

/** Norm before attention, or before the MLP. */
export function normName(layer: number, part: 'attention' | 'mlp'): string {
  return `layers.${layer}.${part === 'attention' ? 'input' : 'post_attention'}_layernorm.weight`
}

export function projectionName(layer: number, projection: Projection): string {
  return `layers.${layer}.${block(projection)}.${projection}_proj.weight`
}

/** The bias a projection adds, one number an output; undefined where the model has none. */
export function biasName(config: LlamaConfig, layer: number, projection: Projection): string | undefined {
  const part = block(projection)
  const biased = part === 'mlp' ? config.mlpBias : config.attentionBias
  return biased ? `layers.${layer}.${part}.${projection}_proj.bias` : undefined
}

function block(projection: Projection): 'mlp' | 'self_attn' {
  return ['gate', 'up', 'down'].includes(projection) ? 'mlp' : 'self_attn'
}

/** [output, input] widths of a projection, as checkpoints store them. */
export function projectionShape(config: LlamaConfig, projection: Projection): [number, number] {
  const { hiddenSize: hidden, intermediateSize: inner, headSize } = config
  const queries = config.attentionHeads * headSize
  const keys = config.keyValueHeads * headSize
  const shapes: Record<Projection, [number, number]> = {
    q: [queries, hidden],
    k: [keys, hidden],
    v: [keys, hidden],
    o: [hidden, queries],
    gate: [inner, hidden],
    up: [inner, hidden],
    down: [hidden, inner],
  }
  return shapes[projection]
}

/** Every tensor that is exported, with its shape, in the order they are written. */
export function expectedTensors(config: LlamaConfig): Map<string, number[]> {
  const expected = new Map<string, number[]>([[EMBEDDING, [config.vocabularySize, config.hiddenSize]]])
  for (let layer = 0; layer < config.layers; layer++) {
    for (const part of ['attention', 'mlp'] as const) expected.set(normName(layer, part), [config.hiddenSize])
    for (const projection of PROJECTIONS) {
      const shape = projectionShape(config, projection)
      expected.set(projectionName(layer, projection), shape)
      const bias = biasName(config, layer, projection)
      if (bias !== undefined) expected.set(bias, [shape[0]])
    }
  }
  return expected.set(FINAL_NORM, [config.hiddenSize])
}
