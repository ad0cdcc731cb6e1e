import { ToolError } from '../../../cli/tool-error.ts'
import { compareCodePoints } from '../../../index/order.ts'

/** Relevance of documents to one query: document id to grade; absent or <= 0 means not relevant. */
export type Judgements = ReadonlyMap<string, number>

export interface ScoredDocument {
  id: string
  score: number
}

/**
 * The order that trec_eval judges: score descending as float32, equal scores by id descending (by byte). A run is
 * re-ranked by this rule whatever order it came in, so that ties cost no one anything by luck.
 * @param leftOut an id that is no result: the query's own, where queries are documents
 * Source: trec_eval 9.0, form_res_rels.c.
 */
export function judgedOrder(run: readonly ScoredDocument[], leftOut?: string): string[] {
  return run
    .filter(({ id }) => id !== leftOut)
    .map(({ id, score }) => ({ id, score: Math.fround(score) }))
    .sort((a, b) => b.score - a.score || compareCodePoints(b.id, a.id))
    .map((scored) => scored.id)
}

/**
 * nDCG@k with the grade itself as gain and 1 / log2(rank + 1) as discount (Järvelin & Kekäläinen 2002, as in
 * trec_eval's ndcg_cut). 0 where nothing is relevant.
 * @param ranking document ids, best first
 * @throws ToolError INPUT_UNUSABLE where a document is there twice, here and in every figure: it would count twice
 */
export function ndcg(ranking: readonly string[], judgements: Judgements, k: number): number {
  const gains = firstOf(ranking, k).map((id) => Math.max(0, judgements.get(id) ?? 0))
  const ideal = [...judgements.values()].filter((grade) => grade > 0).sort((a, b) => b - a)
  const best = discountedGain(ideal.slice(0, k))
  return best === 0 ? 0 : discountedGain(gains) / best
}

function discountedGain(gains: readonly number[]): number {
  return gains.reduce((sum, gain, index) => sum + gain / Math.log2(index + 2), 0)
}

/** 1 / rank of the first relevant document among the first k, else 0. */
function reciprocalRank(ranking: readonly string[], judgements: Judgements, k: number): number {
  const index = firstOf(ranking, k).findIndex((id) => (judgements.get(id) ?? 0) > 0)
  return index < 0 ? 0 : 1 / (index + 1)
}

/** Share of the relevant documents found among the first k; 0 where nothing is relevant. */
export function recall(ranking: readonly string[], judgements: Judgements, k: number): number {
  const relevant = [...judgements.values()].filter((grade) => grade > 0).length
  if (relevant === 0) return 0
  const found = firstOf(ranking, k).filter((id) => (judgements.get(id) ?? 0) > 0).length
  return found / relevant
}

/** With every document once, no figure can leave 0 to 1. */
function firstOf(ranking: readonly string[], k: number): readonly string[] {
  const first = ranking.slice(0, k)
  const ids = new Set(first)
  if (ids.size === first.length) return first
  const twice = first.find((id) => !ids.delete(id))
  throw new ToolError(
    'INPUT_UNUSABLE',
    `A ranking has document ${twice} twice; its figures would mean nothing.`,
  )
}

/** How many results a figure looks at: it is taken from a search for that many. */
export const DEPTHS = [10, 100, 1000] as const
type Depth = (typeof DEPTHS)[number]
export const DEPTH_MAX = DEPTHS[DEPTHS.length - 1]!

/** Every figure in a report, with the number of results it looks at. */
export const METRICS = {
  'ndcg@10': { depth: 10, of: ndcg },
  'mrr@10': { depth: 10, of: reciprocalRank },
  'recall@10': { depth: 10, of: recall },
  'recall@100': { depth: 100, of: recall },
  'recall@1000': { depth: 1000, of: recall },
} as const satisfies Record<string, { depth: Depth; of: typeof ndcg }>

type MetricName = keyof typeof METRICS
export type Scores = Record<MetricName, number>
export const METRIC_NAMES = Object.keys(METRICS) as MetricName[]

/** How many results to ask for, so that `depth` are left when the query's own document is not counted. */
export function askedFor(depth: Depth, leaveOut: boolean): number {
  // A service may give no more than the deepest figure looks at; BEIR, too, then judges one less.
  return leaveOut && depth < DEPTH_MAX ? depth + 1 : depth
}

/** A query's ranking for each depth searched at; a deeper one may stand for a shallower one. */
export type Rankings = Record<Depth, readonly string[]>

/** One deep ranking, judged at every depth. */
export function atEveryDepth(ranking: readonly string[]): Rankings {
  return Object.fromEntries(DEPTHS.map((depth) => [depth, ranking])) as Rankings
}

/** Means over queries, every query counting the same; memory does not grow with them. */
export class MeanScores {
  readonly #sums = Object.fromEntries(METRIC_NAMES.map((name) => [name, 0])) as Scores
  #queries = 0

  /** A query without results is added with empty rankings: it counts 0. */
  add(rankings: Rankings, judgements: Judgements): void {
    this.#queries++
    for (const name of METRIC_NAMES) {
      const { depth, of } = METRICS[name]
      this.#sums[name] += of(rankings[depth], judgements, depth)
    }
  }

  means(): Scores {
    return Object.fromEntries(METRIC_NAMES.map((name) => [name, this.#sums[name] / this.#queries])) as Scores
  }
}
