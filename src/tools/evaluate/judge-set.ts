import { arch, availableParallelism, cpus, platform } from 'node:os'
import { SEARCH_MODES } from '../../index/collection-settings.ts'
import { VERSION } from '../../version.ts'
import { judgeBm25 } from './bm25/judge-bm25.ts'
import type { EvaluateOptions } from './evaluate-options.ts'
import { reportPrompts } from './figures/compare-prompts.ts'
import { judgeModes } from './figures/judge-modes.ts'
import { judgeSearch } from './figures/judge-search.ts'
import type { BeirSet } from './judged-set/beir-set.ts'
import { sampleTexts } from './judged-set/text-sample.ts'
import type { Machine, ModesReport, Origin, Report } from './report/report.ts'
import type { SearchSystem, SystemFacts } from './systems/search-system.ts'

/** How a run reports its progress and is stopped. */
export interface Run {
  signal: AbortSignal
  onProgress: (phase: string, done: number, total: number) => void
}

/** One set in the modes that were asked for. */
export async function judgeSetInModes(
  system: SearchSystem,
  set: BeirSet,
  options: EvaluateOptions,
  run: Run,
): Promise<ModesReport> {
  const figures = await judgeModes(system, set, options.modes ?? SEARCH_MODES, {
    useExisting: options.useExisting,
    ...run,
    ...(options.ef && { ef: options.ef }),
  })
  const bm25 = await bm25Of(set, options, run)
  return { set: set.name, ...figures, ...(bm25 && { bm25 }), ...facts(system) }
}

/** Everything that was asked for about one set, except drift. */
export async function judgeSet(
  system: SearchSystem,
  set: BeirSet,
  options: EvaluateOptions,
  run: Run,
): Promise<Report> {
  const { signal, onProgress } = run
  const figures = await judgeSearch(system, set, {
    useExisting: options.useExisting,
    signal,
    onProgress,
    ...(options.ef && { ef: options.ef }),
  })
  const bm25 = await bm25Of(set, options, run)
  const prompts = options.prompts ? await judgePrompts(system, set, options, run) : undefined
  return {
    set: set.name,
    ...figures,
    ...(bm25 && { bm25 }),
    ...(prompts && { prompts }),
    ...facts(system),
  }
}

function facts(system: SearchSystem): SystemFacts & Pick<Origin, 'machine' | 'version'> {
  return { ...system.facts, machine: machine(), version: VERSION }
}

async function bm25Of(set: BeirSet, { bm25 }: EvaluateOptions, { onProgress }: Run) {
  return bm25 ? judgeBm25(set, (done, total) => onProgress('BM25 queries', done, total)) : undefined
}

async function judgePrompts(
  system: SearchSystem,
  set: BeirSet,
  options: EvaluateOptions,
  { signal, onProgress }: Run,
) {
  const sample = await sampleTexts(set, options.sample ? { documentsMax: options.sample } : {})
  return reportPrompts(system, sample, {
    signal,
    onProgress: (done, total) => onProgress('texts with both prompts', done, total),
  })
}

function machine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown processor',
    threads: availableParallelism(),
    node: process.version,
    platform: `${platform()} ${arch()}`,
  }
}
