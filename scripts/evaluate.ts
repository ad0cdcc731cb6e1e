import { rename, writeFile } from 'node:fs/promises'
import { ServiceError } from '../src/errors.ts'
import { type BeirSet, readBeirSet } from '../src/evaluation/beir.ts'
import { recordInCard } from '../src/evaluation/record.ts'
import { markdownTable } from '../src/evaluation/report/markdown.ts'
import type { Report } from '../src/evaluation/report/report.ts'
import { terminalTable } from '../src/evaluation/report/table.ts'
import { modelFolder } from '../src/model-folder.ts'
import { driftOn } from './evaluate/drift.ts'
import { judgeSet, type Run } from './evaluate/judge-set.ts'
import { withLocalSystem, withModel } from './evaluate/local.ts'
import { HELP, type Options, readOptions } from './evaluate/options.ts'
import { progressLine } from './evaluate/progress.ts'
import { withService } from './evaluate/service.ts'
import { stopSignal } from './evaluate/stop-signal.ts'

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
