import { progressLine } from '../../cli/progress-line.ts'
import { withStopSignal } from '../../cli/stop-signal.ts'
import { say, type Terminal } from '../../cli/terminal.ts'
import { ToolError } from '../../cli/tool-error.ts'
import type { OnnxEncoder } from '../../encoder/onnx/onnx-encoder.ts'
import { modelFolder } from '../../model/find-model.ts'
import type { OnnxReranker } from '../../reranker/onnx/onnx-reranker.ts'
import { replaceFile } from '../disk.ts'
import type { EvaluateOptions } from './evaluate-options.ts'
import { judgeDrift } from './judge-drift.ts'
import { judgeSet, judgeSetInModes, type Run } from './judge-set.ts'
import { type BeirSet, readBeirSet } from './judged-set/beir-set.ts'
import { markdownTable } from './report/markdown-table.ts'
import { modesMarkdownTable, modesTerminalTable } from './report/modes-table.ts'
import { recordInCard } from './report/record-in-card.ts'
import type { ModesReport, Report } from './report/report.ts'
import { terminalTable } from './report/terminal-table.ts'
import { withLocalSystem, withModel, withReranker } from './systems/local-model.ts'
import { withService } from './systems/running-service.ts'
import type { SearchSystem } from './systems/search-system.ts'

const MODEL_DEFAULT = 'llara-mini'

/** How sets are judged, and how it is said. */
interface Evaluation<R> {
  judge(system: SearchSystem, set: BeirSet, options: EvaluateOptions, run: Run): Promise<R>
  terminal(report: R): string
  markdown(reports: readonly R[], command: string): string
  /** What only an open model can add to a report. */
  add?(report: R, encoder: OnnxEncoder, set: BeirSet, options: EvaluateOptions, run: Run): Promise<void>
}

const MODEL: Evaluation<Report> = {
  judge: judgeSet,
  terminal: terminalTable,
  markdown: markdownTable,
  async add(report, encoder, set, options, run) {
    const { against, model } = options
    if (against !== undefined) {
      report.drift = await judgeDrift(encoder, modelFolder(against), set, options, run)
    }
    if (options.writeCard) await recordInCard(modelFolder(model ?? MODEL_DEFAULT), report)
  },
}

const MODES: Evaluation<ModesReport> = {
  judge: judgeSetInModes,
  terminal: modesTerminalTable,
  markdown: modesMarkdownTable,
}

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
  const { split, queries, sameId, modes } = options
  const sets: BeirSet[] = []
  // All of them first: a faulty set is reported before hours of work on another.
  for (const folder of folders) {
    const wish = { ...(split && { split }), ...(queries && { queriesMax: queries }) }
    sets.push(await readBeirSet(folder, sameId === 'auto' ? wish : { ...wish, sameId }))
  }
  const command = `npm run evaluate -- ${args.join(' ')}`
  if (modes) await judgeAll(sets, MODES, options, command, terminal)
  else await judgeAll(sets, MODEL, options, command, terminal)
}

async function judgeAll<R>(
  sets: readonly BeirSet[],
  evaluation: Evaluation<R>,
  options: EvaluateOptions,
  command: string,
  terminal: Terminal,
): Promise<void> {
  const { json, markdown, out, url } = options
  const reports: R[] = []
  const tell = async (report: R) => {
    reports.push(report)
    if (json) say(terminal.stdout, JSON.stringify(report))
    else if (!markdown) say(terminal.stdout, evaluation.terminal(report))
    if (out) await writeReports(out, reports)
  }
  const announcement = 'Stopping, and removing what was stored. Once more to stop at once.'
  await withStopSignal(terminal, announcement, async (signal) => {
    const run: Run = { signal, onProgress: progressLine(terminal.stderr) }
    if (url === undefined) return judgeModel(sets, evaluation, options, run, tell)
    for (const set of sets) {
      const judge = (system: SearchSystem) => evaluation.judge(system, set, options, run)
      await tell(await withService(url, set, options, terminal, judge))
    }
  })
  if (markdown) say(terminal.stdout, evaluation.markdown(reports, command))
}

async function judgeModel<R>(
  sets: readonly BeirSet[],
  { judge, add }: Evaluation<R>,
  options: EvaluateOptions,
  run: Run,
  tell: (report: R) => Promise<void>,
): Promise<void> {
  const folder = modelFolder(options.model ?? MODEL_DEFAULT)
  const { device, reranker: name } = options
  const judgeAllWith = async (encoder: OnnxEncoder, reranker: OnnxReranker | undefined) => {
    for (const set of sets) {
      const report = await withLocalSystem(
        encoder,
        options,
        (system) => judge(system, set, options, run),
        reranker,
      )
      await add?.(report, encoder, set, options, run)
      await tell(report)
    }
  }
  await withModel(folder, device, (encoder) =>
    withReranker(name === undefined ? undefined : modelFolder(name, 'RERANKER'), device, (reranker) =>
      judgeAllWith(encoder, reranker),
    ),
  )
}

async function writeReports(file: string, reports: readonly unknown[]): Promise<void> {
  try {
    await replaceFile(file, `${JSON.stringify(reports, undefined, 2)}\n`)
  } catch (error) {
    if (error instanceof ToolError) throw error
    const message = `--out: ${file} cannot be written: ${(error as Error).message}.`
    throw new ToolError('NOT_WRITABLE', message, {}, error)
  }
}
