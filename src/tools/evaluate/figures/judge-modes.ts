import { SEARCH_MODES } from '../../../index/collection-settings.ts'
import type { BeirSet } from '../judged-set/beir-set.ts'
import type { SearchSystem, SystemAnswer } from '../systems/search-system.ts'
import { askedFor, atEveryDepth, judgedOrder, MeanScores, type Scores } from './retrieval-metrics.ts'
import { type JudgeOptions, type Latencies, latencies } from './run-queries.ts'
import { factsOf, ingestSet, type SetFacts } from './set-facts.ts'

/** Ways of searching; `rerank` is hybrid with its first hits reranked. */
export const JUDGED_MODES = [...SEARCH_MODES, 'rerank'] as const
export type JudgedMode = (typeof JUDGED_MODES)[number]

export const MODE_METRICS = ['ndcg@10', 'mrr@10', 'recall@10', 'recall@100'] as const

/** How well, and how quickly, one way of searching answers a set. */
export interface ModeFigures extends Pick<Scores, (typeof MODE_METRICS)[number]> {
  latency_ms: Latencies
}

export interface ModesFigures extends SetFacts {
  modes: Partial<Record<JudgedMode, ModeFigures>>
}

/**
 * Stores a judged set once and asks every query in every mode, as users ask: the first figures come from single
 * searches for ten results, recall@100 from searches for a hundred. Reranking is asked once for both: it is slow, and the
 * first ten are the same.
 * @throws ToolError, ServiceError as the set and the system do
 */
export async function judgeModes(
  system: SearchSystem,
  set: BeirSet,
  modes: readonly JudgedMode[],
  options: JudgeOptions = {},
): Promise<ModesFigures> {
  const corpus = await ingestSet(system, set, options)
  const figures: ModesFigures = { ...factsOf(set, corpus), modes: {} }
  for (const mode of modes) figures.modes[mode] = await judgeMode(system, set, mode, options)
  return figures
}

async function judgeMode(
  system: SearchSystem,
  { queries, judgements, leaveOutSameId }: BeirSet,
  mode: JudgedMode,
  { ef, signal = new AbortController().signal, onProgress }: JudgeOptions,
): Promise<ModeFigures> {
  const rerank = mode === 'rerank'
  const how = { mode: rerank ? ('hybrid' as const) : mode, rerank, signal, ...(ef !== undefined && { ef }) }
  const own = (id: string) => (leaveOutSameId ? id : undefined)
  const scores = new MeanScores()
  const timings: SystemAnswer['timings'][] = []
  for (let start = 0; start < queries.length; start += system.queriesMax) {
    const part = queries.slice(start, start + system.queriesMax)
    const texts = part.map(({ text }) => text)
    const deep = rerank ? undefined : await system.search(texts, { k: askedFor(100, leaveOutSameId), ...how })
    for (const [i, { id, text }] of part.entries()) {
      const usual = await system.search([text], { k: askedFor(rerank ? 100 : 10, leaveOutSameId), ...how })
      timings.push(usual.timings)
      const first = judgedOrder(usual.batches[0]!.hits, own(id))
      scores.add(
        { ...atEveryDepth(judgedOrder((deep?.batches[i] ?? usual.batches[0]!).hits, own(id))), 10: first },
        judgements.get(id)!,
      )
    }
    onProgress?.(`${mode} queries`, start + part.length, queries.length)
  }
  const means = scores.means()
  const figures = Object.fromEntries(MODE_METRICS.map((name) => [name, means[name]]))
  return { ...(figures as Pick<Scores, (typeof MODE_METRICS)[number]>), latency_ms: latencies(timings) }
}
