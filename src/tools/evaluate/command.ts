import { rename, writeFile } from 'node:fs/promises'
import { ServiceError } from '../../errors.ts'
import { modelFolder } from '../../model/find-model.ts'
import { HELP, type Options, readOptions } from './command/options.ts'
import { progressLine } from './command/progress.ts'
import { stopSignal } from './command/stop-signal.ts'
import { driftOn } from './judge-drift.ts'
import { judgeSet, type Run } from './judge-set.ts'
import { type BeirSet, readBeirSet } from './judged-set/beir-set.ts'
import { markdownTable } from './report/markdown-table.ts'
import { recordInCard } from './report/record-in-card.ts'
import type { Report } from './report/report.ts'
import { terminalTable } from './report/terminal-table.ts'
import { withLocalSystem, withModel } from './systems/local-model.ts'
import { withService } from './systems/running-service.ts'

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args)
  if (options.help || options.folders.length === 0) {
    console.log(HELP)
    process.exitCode = options.help ? 0 : 2
    return
  }
  const { split, queries } = options
  const sets: BeirSet[] = []
  // All of them first: a faulty set is told before hours of work on another.
  for (const folder of options.folders) {
    sets.push(await readBeirSet(folder, { ...(split && { split }), ...(queries && { queriesMax: queries }) }))
  }
  const reports: Report[] = []
  const tell = async (report: Report) => {
    reports.push(report)
    if (options.json) console.log(JSON.stringify(report))
    else if (!options.markdown) console.log(terminalTable(report))
    if (options.out) await writeWhole(options.out, `${JSON.stringify(reports, undefined, 2)}\n`)
  }
  const run: Run = { signal: stopSignal(), onProgress: progressLine() }
  if (options.url) await judgeService(options.url, sets, options, run, tell)
  else await judgeModel(sets, options, run, tell)
  if (options.markdown) console.log(markdownTable(reports, `npm run evaluate -- ${args.join(' ')}`))
}

async function judgeModel(
  sets: readonly BeirSet[],
  options: Options,
  run: Run,
  tell: (report: Report) => Promise<void>,
): Promise<void> {
  const folder = modelFolder(options.model ?? 'llara-mini')
  const against = options.against === undefined ? undefined : modelFolder(options.against)
  await withModel(folder, options.device, async (encoder) => {
    for (const set of sets) {
      const report = await withLocalSystem(encoder, (system) => judgeSet(system, set, options, run))
      if (against) report.drift = await driftOn(encoder, against, set, options, run)
      if (options['write-card']) await recordInCard(folder, report)
      await tell(report)
    }
  })
}

async function judgeService(
  url: string,
  sets: readonly BeirSet[],
  options: Options,
  run: Run,
  tell: (report: Report) => Promise<void>,
): Promise<void> {
  for (const set of sets) {
    await tell(await withService(url, set, options, (system) => judgeSet(system, set, options, run)))
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`
  try {
    await writeFile(draft, text)
    await rename(draft, file)
  } catch (error) {
    throw new ServiceError('INVALID_INPUT', `--out: cannot write ${file}: ${(error as Error).message}`)
  }
}

main(process.argv.slice(2)).catch((error: Error & { code?: string }) => {
  const usage = error.code?.startsWith('ERR_PARSE_ARGS') === true
  console.error(error instanceof ServiceError || usage ? error.message : error)
  process.exitCode = usage ? 2 : 1
})
