import { join } from 'node:path'
import { type ModelSession, openSession } from '../../../inference/session.ts'
import { MODEL_FILES } from '../../../model/card.ts'
import { type PromptedRow, runRow } from '../drift/prompted-rows.ts'
import type { Sites } from '../llama/build-llama.ts'
import { SiteStatistics } from './site-statistics.ts'

/** Opens the graph of a folder on the CPU with as many threads as the runtime likes. */
export function openGraph(folder: string): Promise<ModelSession> {
  return openSession(join(folder, MODEL_FILES.model), { provider: 'cpu', intraOpThreads: 0, deviceId: 0 })
}

/** Runs a tapped graph over the rows and remembers each site's activations. */
export async function calibrate(
  session: ModelSession,
  sites: Sites,
  rows: readonly PromptedRow[],
): Promise<Map<string, SiteStatistics>> {
  const statistics = new Map<string, SiteStatistics>()
  for (const row of rows) {
    const outputs = await runRow(session, row)
    for (const [site, value] of sites) {
      const { data, dims } = outputs[value]!
      const known = statistics.get(site) ?? new SiteStatistics(dims.at(-1)!)
      known.add(data as Float32Array)
      statistics.set(site, known)
    }
  }
  return statistics
}
