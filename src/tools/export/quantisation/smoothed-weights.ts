import { type Site, siteName } from '../arithmetic/arithmetic.ts'
import type { LlamaConfig } from '../checkpoint/llama-config.ts'
import {
  biasName,
  normName,
  PROJECTIONS,
  type Projection,
  projectionName,
  projectionShape,
} from '../checkpoint/tensor-names.ts'
import type { WeightSource } from '../weights/weight-source.ts'
import type { QuantisationPlan } from './plan.ts'

/** The site whose activations a projection multiplies. */
export const ENTRY: Record<Projection, Site> = {
  q: 'attention',
  k: 'attention',
  v: 'attention',
  o: 'output',
  gate: 'mlp',
  up: 'mlp',
  down: 'down',
}

/** The site a projection's outputs reach through nothing but products and weighted means. */
const EXIT: Partial<Record<Projection, Site>> = { v: 'output', up: 'down' }

/** For each channel of attention's output, the channel of v it comes from. */
export function valueChannels({ attentionHeads, keyValueHeads, headSize }: LlamaConfig): Uint32Array {
  const group = attentionHeads / keyValueHeads
  return Uint32Array.from({ length: attentionHeads * headSize }, (_, c) => {
    const head = Math.floor(c / headSize)
    return Math.floor(head / group) * headSize + (c % headSize)
  })
}

/**
 * A checkpoint whose activations are smoother and whose function is the same: at each site the tensor that makes the
 * activations is divided by the plan's factors and the tensors they meet are multiplied by them.
 */
export function smoothedWeights(
  source: WeightSource,
  config: LlamaConfig,
  plan: QuantisationPlan,
): WeightSource {
  const rescale = new Map<string, (tensor: Float32Array) => void>()
  const factorsOf = (layer: number, site: Site) => plan.get(siteName(layer, site))!.smoothing
  for (let layer = 0; layer < config.layers; layer++) {
    for (const part of ['attention', 'mlp'] as const) {
      rescale.set(normName(layer, part), (weight) => divide(weight, factorsOf(layer, part)))
    }
    for (const projection of PROJECTIONS) {
      const [, width] = projectionShape(config, projection)
      const entry = factorsOf(layer, ENTRY[projection])
      const exit = EXIT[projection]
      const after = exit && rowFactors(projection, factorsOf(layer, exit), config)
      rescale.set(projectionName(layer, projection), (matrix) => {
        for (let i = 0; i < matrix.length; i++) {
          matrix[i] = (matrix[i]! * entry[i % width]!) / (after ? after[Math.floor(i / width)]! : 1)
        }
      })
      const bias = biasName(config, layer, projection)
      if (bias !== undefined && after) rescale.set(bias, (values) => divide(values, after))
    }
  }
  const read = async (name: string) => {
    const tensor = await source.read(name)
    rescale.get(name)?.(tensor)
    return tensor
  }
  return {
    read,
    // Only models small enough to be calibrated come here: one band is all of the tensor.
    async *bands(name) {
      yield await read(name)
    },
  }
}

/** Factors of the outputs of v or up; several heads of attention's output may share one of v's. */
function rowFactors(projection: Projection, factors: Float32Array, config: LlamaConfig): Float32Array {
  if (projection !== 'v') return factors
  const rows = new Float32Array(config.keyValueHeads * config.headSize)
  valueChannels(config).forEach((channel, c) => {
    rows[channel] = factors[c]!
  })
  return rows
}

function divide(values: Float32Array, factors: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i] = values[i]! / factors[i]!
}
