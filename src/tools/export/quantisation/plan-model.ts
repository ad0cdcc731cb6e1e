import { type Site, siteName } from '../arithmetic/arithmetic.ts'
import type { SiteStatistics } from '../calibration/site-statistics.ts'
import type { LlamaConfig } from '../checkpoint/llama-config.ts'
import { PROJECTIONS, projectionName, projectionShape } from '../checkpoint/tensor-names.ts'
import type { WeightSource } from '../weights/weight-source.ts'
import type { QuantisationPlan, SitePlan } from './plan.ts'
import { planSite } from './plan-site.ts'
import { ENTRY, valueChannels } from './smoothed-weights.ts'

const SITES: Site[] = ['attention', 'output', 'mlp', 'down']

/** A plan for every site of the model, one layer's weights in memory at a time. */
export async function planModel(
  config: LlamaConfig,
  weights: WeightSource,
  statistics: ReadonlyMap<string, SiteStatistics>,
  onLayer?: (layer: number) => void,
): Promise<QuantisationPlan> {
  const plan = new Map<string, SitePlan>()
  for (let layer = 0; layer < config.layers; layer++) {
    onLayer?.(layer)
    for (const site of SITES) {
      const name = siteName(layer, site)
      const entering = PROJECTIONS.filter((projection) => ENTRY[projection] === site)
      const matrices: Float32Array[] = []
      for (const projection of entering) matrices.push(await weights.read(projectionName(layer, projection)))
      const [, width] = projectionShape(config, entering[0]!)
      const tied = site === 'output' ? { tied: valueChannels(config) } : {}
      plan.set(name, planSite(statistics.get(name)!, { matrices, width, ...tied }))
    }
  }
  return plan
}
