import type { RowTokens } from '../../../model/prompt.ts'
import { openModel, runRow } from '../drift/prompted-rows.ts'
import type { Sites } from '../llama/build-llama.ts'
import { SiteStatistics } from './site-statistics.ts'

/** Runs the tapped model of a folder over the rows and remembers each site's activations. */
export async function calibrate(
  folder: string,
  sites: Sites,
  rows: readonly RowTokens[],
): Promise<Map<string, SiteStatistics>> {
  const session = await openModel(folder)
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
  await session.release()
  return statistics
}
