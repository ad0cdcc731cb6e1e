import { readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, platform } from 'node:os'
import { judgeBm25 } from './bm25/judge-bm25.ts'
import type { Options } from './command/options.ts'
import { reportPrompts } from './figures/compare-prompts.ts'
import { evaluate } from './figures/judge-search.ts'
import type { BeirSet } from './judged-set/beir-set.ts'
import { sampleTexts } from './judged-set/text-sample.ts'
import type { Machine, Report } from './report/report.ts'
import type { SearchSystem } from './systems/search-system.ts'

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** How a run is told about and stopped. */
export interface Run {
  signal: AbortSignal
  onProgress: (phase: string, done: number, total: number) => void
}

/** All that was asked for about one set, drift apart. */
export async function judgeSet(
  system: SearchSystem,
  set: BeirSet,
  options: Options,
  run: Run,
): Promise<Report> {
  const { signal, onProgress } = run
  const figures = await evaluate(system, set, {
    useExisting: options['use-existing'],
    signal,
    onProgress,
    ...(options.ef && { ef: options.ef }),
  })
  const bm25 = options.bm25
    ? await judgeBm25(set, (done, total) => onProgress('BM25 queries', done, total))
    : undefined
  const prompts = options.prompts ? await judgePrompts(system, set, options, run) : undefined
  return {
    set: set.name,
    ...figures,
    ...(bm25 && { bm25 }),
    ...(prompts && { prompts }),
    ...system.facts,
    machine: machine(),
    version,
  }
}

async function judgePrompts(
  system: SearchSystem,
  set: BeirSet,
  options: Options,
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
