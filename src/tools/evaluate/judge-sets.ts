import { progressLine } from '../../cli/progress-line.ts'
import { withStopSignal } from '../../cli/stop-signal.ts'
import { say, type Terminal } from '../../cli/terminal.ts'
import { ToolError } from '../../cli/tool-error.ts'
import { modelFolder } from '../../model/find-model.ts'
import { replaceFile } from '../disk.ts'
import type { EvaluateOptions } from './evaluate-options.ts'
import { judgeDrift } from './judge-drift.ts'
import { judgeSet, type Run } from './judge-set.ts'
import { type BeirSet, readBeirSet } from './judged-set/beir-set.ts'
import { markdownTable } from './report/markdown-table.ts'
import { recordInCard } from './report/record-in-card.ts'
import type { Report } from './report/report.ts'
import { terminalTable } from './report/terminal-table.ts'
import { withLocalSystem, withModel } from './systems/local-model.ts'
import { withService } from './systems/running-service.ts'

type Tell = (report: Report) => Promise<void>

/**
 * Judges every set and prints its report as soon as it is there.
 * @param args as typed, for the table that says how to repeat it
 * @throws ToolError, ServiceError
 */
export async function judgeSets(
  folders: readonly string[],
  options: EvaluateOptions,
  args: readonly string[],
  terminal: Terminal,
): Promise<void> {
  const { split, queries, sameId, json, markdown, out, url } = options
  const sets: BeirSet[] = []
  // All of them first: a faulty set is reported before hours of work on another.
  for (const folder of folders) {
    const wish = { ...(split && { split }), ...(queries && { queriesMax: queries }) }
    sets.push(await readBeirSet(folder, sameId === 'auto' ? wish : { ...wish, sameId }))
  }
  const reports: Report[] = []
  const tell = async (report: Report) => {
    reports.push(report)
    if (json) say(terminal.stdout, JSON.stringify(report))
    else if (!markdown) say(terminal.stdout, terminalTable(report))
    if (out) await writeReports(out, reports)
  }
  const announcement = 'Stopping, and removing what was stored. Once more to stop at once.'
  await withStopSignal(terminal, announcement, async (signal) => {
    const run: Run = { signal, onProgress: progressLine(terminal.stderr) }
    if (url === undefined) return judgeModel(sets, options, run, tell)
    for (const set of sets) {
      await tell(
        await withService(url, set, options, terminal, (system) => judgeSet(system, set, options, run)),
      )
    }
  })
  if (markdown) say(terminal.stdout, markdownTable(reports, `npm run evaluate -- ${args.join(' ')}`))
}

async function judgeModel(
  sets: readonly BeirSet[],
  options: EvaluateOptions,
  run: Run,
  tell: Tell,
): Promise<void> {
  const folder = modelFolder(options.model ?? 'llara-mini')
  const against = options.against === undefined ? undefined : modelFolder(options.against)
  await withModel(folder, options.device, async (encoder) => {
    for (const set of sets) {
      const report = await withLocalSystem(encoder, (system) => judgeSet(system, set, options, run))
      if (against) report.drift = await judgeDrift(encoder, against, set, options, run)
      if (options.writeCard) await recordInCard(folder, report)
      await tell(report)
    }
  })
}

async function writeReports(file: string, reports: readonly Report[]): Promise<void> {
  try {
    await replaceFile(file, `${JSON.stringify(reports, undefined, 2)}\n`)
  } catch (error) {
    if (error instanceof ToolError) throw error
    const message = `--out: ${file} cannot be written: ${(error as Error).message}.`
    throw new ToolError('NOT_WRITABLE', message, {}, error)
  }
}
