import type { BeirSet } from '../judged-set/beir-set.ts'
import type { SearchSystem, SystemAnswer, SystemSearch } from '../systems/search-system.ts'
import type { Scores } from './retrieval-metrics.ts'
import {
  atEveryDepth,
  DEPTH_MAX,
  DEPTHS,
  judgedOrder,
  MeanScores,
  type Rankings,
} from './retrieval-metrics.ts'

/** Where users' searches usually end, and where latency and the graph's recall are measured. */
const USUAL_DEPTH = DEPTHS[0]

export interface JudgeOptions {
  /** Breadth of the graph walk; the system's default where absent. */
  ef?: number
  /** The documents are in the system already: only ask. */
  useExisting?: boolean
  signal?: AbortSignal
  onProgress?: (phase: 'documents' | 'queries', done: number, total: number) => void
}

/** Milliseconds that this share of the requests stay within: half, 95 of a hundred, 99 of a hundred. */
export interface Percentiles {
  p50: number
  p95: number
  p99: number
}

interface QueryFigures {
  exact: Scores
  hnsw: Scores
  recallAt10: number
  paths: string[]
  /** One a query, of single searches for ten results. */
  timings: SystemAnswer['timings'][]
}

/** Asks every query; rankings are judged as they come and not kept. */
export async function runQueries(
  system: SearchSystem,
  { queries, judgements }: BeirSet,
  { ef, signal = new AbortController().signal, onProgress }: JudgeOptions,
): Promise<QueryFigures> {
  const walk = { signal, ...(ef !== undefined && { ef }) }
  const exact = new MeanScores()
  const hnsw = new MeanScores()
  const paths = new Set<string>()
  const timings: SystemAnswer['timings'][] = []
  let overlap = 0
  for (let start = 0; start < queries.length; start += system.queriesMax) {
    const part = queries.slice(start, start + system.queriesMax)
    const texts = part.map(({ text }) => text)
    const truth = await system.search(texts, { k: DEPTH_MAX, exact: true, signal })
    const deep = await deepRankings(system, texts, walk)
    for (const [index, { id, text }] of part.entries()) {
      const usual = await system.search([text], { k: USUAL_DEPTH, ...walk })
      const { hits, path } = usual.batches[0]!
      timings.push(usual.timings)
      paths.add(path)
      const nearest = truth.batches[index]!.hits
      overlap += shareFound(idsOf(nearest).slice(0, USUAL_DEPTH), idsOf(hits))
      exact.add(atEveryDepth(judgedOrder(nearest)), judgements.get(id)!)
      hnsw.add({ ...deep[index]!, [USUAL_DEPTH]: judgedOrder(hits) }, judgements.get(id)!)
    }
    onProgress?.('queries', start + part.length, queries.length)
  }
  return {
    exact: exact.means(),
    hnsw: hnsw.means(),
    recallAt10: overlap / queries.length,
    paths: [...paths],
    timings,
  }
}

/** Nearest-rank percentiles of at least one value. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = Float64Array.from(values).sort()
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

/** The graph's rankings at the depths beyond the usual one. */
async function deepRankings(
  system: SearchSystem,
  texts: readonly string[],
  walk: Omit<SystemSearch, 'k'>,
): Promise<Rankings[]> {
  const rankings = texts.map(() => atEveryDepth([]))
  for (const k of DEPTHS.slice(1)) {
    const { batches } = await system.search(texts, { k, ...walk })
    for (const [index, { hits }] of batches.entries()) rankings[index]![k] = judgedOrder(hits)
  }
  return rankings
}

function idsOf(hits: readonly { id: string }[]): string[] {
  return hits.map(({ id }) => id)
}

function shareFound(nearest: readonly string[], found: readonly string[]): number {
  const there = new Set(found)
  return nearest.length === 0 ? 1 : nearest.filter((id) => there.has(id)).length / nearest.length
}
