import type { BeirSet } from '../judged-set/beir-set.ts'
import type { SearchSystem } from '../systems/search-system.ts'
import { METRIC_NAMES, type Scores } from './retrieval-metrics.ts'
import { type JudgeOptions, type Latencies, latencies, runQueries } from './run-queries.ts'
import { factsOf, ingestSet, type SetFacts } from './set-facts.ts'

export interface SearchFigures extends SetFacts {
  /** Every document scored: what the model can do. */
  exact: Scores
  /** The answers users get, through the graph. */
  hnsw: Scores
  /** exact - hnsw: what the index loses. */
  ann_loss: Scores
  /** Mean share of the exact ten nearest among the graph's ten. */
  'hnsw_recall@10': number
  /** Which paths answered the unforced searches. */
  paths: string[]
  latency_ms: Latencies
  seconds: { documents: number; queries: number }
}

/**
 * Stores a judged set and asks every judged query, exactly and through the graph. Every figure comes from a search
 * for as many results as it looks at: a search for a thousand walks the graph further than users' searches for ten.
 * @throws ToolError, ServiceError as the set and the system do
 */
export async function judgeSearch(
  system: SearchSystem,
  set: BeirSet,
  options: JudgeOptions = {},
): Promise<SearchFigures> {
  const started = performance.now()
  const corpus = await ingestSet(system, set, options)
  const ingestedAt = performance.now()
  const { exact, hnsw, recallAt10, paths, timings } = await runQueries(system, set, options)
  const ended = performance.now()
  return {
    ...factsOf(set, corpus),
    exact,
    hnsw,
    ann_loss: Object.fromEntries(METRIC_NAMES.map((name) => [name, exact[name] - hnsw[name]])) as Scores,
    'hnsw_recall@10': recallAt10,
    paths,
    latency_ms: latencies(timings),
    seconds: { documents: (ingestedAt - started) / 1000, queries: (ended - ingestedAt) / 1000 },
  }
}
