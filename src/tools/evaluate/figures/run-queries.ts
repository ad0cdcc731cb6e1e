import type { BeirSet } from '../judged-set/beir-set.ts'
import type { SearchSystem, SystemAnswer, SystemSearch } from '../systems/search-system.ts'
import type { Scores } from './retrieval-metrics.ts'
import {
  askedFor,
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
  onProgress?: (phase: string, done: number, total: number) => void
}

/** Milliseconds that this share of the requests stay within: half, 95 of a hundred, 99 of a hundred. */
export interface Percentiles {
  p50: number
  p95: number
  p99: number
}

/** Of single searches for ten results, in milliseconds: the vector, the search, and the whole request. */
export interface Latencies {
  embed: Percentiles
  search: Percentiles
  request: Percentiles
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
  { queries, judgements, leaveOutSameId }: BeirSet,
  { ef, signal = new AbortController().signal, onProgress }: JudgeOptions,
): Promise<QueryFigures> {
  const walk = { signal, ...(ef !== undefined && { ef }) }
  const exact = new MeanScores()
  const hnsw = new MeanScores()
  const paths = new Set<string>()
  const timings: SystemAnswer['timings'][] = []
  const own = (query: string) => (leaveOutSameId ? query : undefined)
  let overlap = 0
  for (let start = 0; start < queries.length; start += system.queriesMax) {
    const part = queries.slice(start, start + system.queriesMax)
    const texts = part.map(({ text }) => text)
    const truth = await system.search(texts, { k: DEPTH_MAX, exact: true, signal })
    const deep = await deepRankings(system, part, leaveOutSameId, walk)
    for (const [index, { id, text }] of part.entries()) {
      const usual = await system.search([text], { k: askedFor(USUAL_DEPTH, leaveOutSameId), ...walk })
      const { hits, path } = usual.batches[0]!
      timings.push(usual.timings)
      paths.add(path)
      const nearest = truth.batches[index]!.hits
      overlap += shareFound(firstIds(nearest, own(id)), firstIds(hits, own(id)))
      exact.add(atEveryDepth(judgedOrder(nearest, own(id))), judgements.get(id)!)
      hnsw.add({ ...deep[index]!, [USUAL_DEPTH]: judgedOrder(hits, own(id)) }, judgements.get(id)!)
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

export function latencies(timings: readonly SystemAnswer['timings'][]): Latencies {
  const of = (part: keyof Latencies) => percentiles(timings.map((timing) => timing[part]))
  return { embed: of('embed'), search: of('search'), request: of('request') }
}

/** Nearest-rank percentiles of at least one value. */
function percentiles(values: readonly number[]): Percentiles {
  const sorted = Float64Array.from(values).sort()
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

/** The graph's rankings at the depths beyond the usual one. */
async function deepRankings(
  system: SearchSystem,
  queries: BeirSet['queries'],
  leaveOutSameId: boolean,
  walk: Omit<SystemSearch, 'k'>,
): Promise<Rankings[]> {
  const rankings = queries.map(() => atEveryDepth([]))
  const texts = queries.map(({ text }) => text)
  for (const depth of DEPTHS.slice(1)) {
    const { batches } = await system.search(texts, { k: askedFor(depth, leaveOutSameId), ...walk })
    for (const [index, { hits }] of batches.entries()) {
      rankings[index]![depth] = judgedOrder(hits, leaveOutSameId ? queries[index]!.id : undefined)
    }
  }
  return rankings
}

function firstIds(hits: readonly { id: string }[], leftOut: string | undefined): string[] {
  const ids = hits.map(({ id }) => id).filter((id) => id !== leftOut)
  return ids.slice(0, USUAL_DEPTH)
}

function shareFound(nearest: readonly string[], found: readonly string[]): number {
  const there = new Set(found)
  return nearest.length === 0 ? 1 : nearest.filter((id) => there.has(id)).length / nearest.length
}
