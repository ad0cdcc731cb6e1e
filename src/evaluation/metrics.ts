/** Relevance of documents to one query: document id to grade; absent or <= 0 means not relevant. */
export type Judgements = ReadonlyMap<string, number>

export interface ScoredDocument {
  id: string
  score: number
}

/**
 * The order that trec_eval judges: score descending, equal scores by id descending (strings compared by UTF-16
 * code unit). A run is re-ranked by this rule whatever order it came in, so that ties cost no one anything by luck.
 * Source: trec_eval 9.0, form_res_rels.c.
 */
export function judgedOrder(run: readonly ScoredDocument[]): string[] {
  return [...run]
    .sort((a, b) => b.score - a.score || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0))
    .map((scored) => scored.id)
}

/**
 * nDCG@k with the grade itself as gain and 1 / log2(rank + 1) as discount (Järvelin & Kekäläinen 2002, as in
 * trec_eval's ndcg_cut). 0 where nothing is relevant.
 * @param ranking document ids, best first
 */
export function ndcg(ranking: readonly string[], judgements: Judgements, k: number): number {
  const gains = ranking.slice(0, k).map((id) => Math.max(0, judgements.get(id) ?? 0))
  const ideal = [...judgements.values()].filter((grade) => grade > 0).sort((a, b) => b - a)
  const best = discountedGain(ideal.slice(0, k))
  return best === 0 ? 0 : discountedGain(gains) / best
}

function discountedGain(gains: readonly number[]): number {
  return gains.reduce((sum, gain, index) => sum + gain / Math.log2(index + 2), 0)
}

/** 1 / rank of the first relevant document among the first k, else 0. */
export function reciprocalRank(ranking: readonly string[], judgements: Judgements, k: number): number {
  const index = ranking.slice(0, k).findIndex((id) => (judgements.get(id) ?? 0) > 0)
  return index < 0 ? 0 : 1 / (index + 1)
}

/** Share of the relevant documents found among the first k; 0 where nothing is relevant. */
export function recall(ranking: readonly string[], judgements: Judgements, k: number): number {
  let relevant = 0
  for (const grade of judgements.values()) if (grade > 0) relevant++
  if (relevant === 0) return 0
  const found = ranking.slice(0, k).filter((id) => (judgements.get(id) ?? 0) > 0).length
  return found / relevant
}

export const METRICS = {
  'ndcg@10': (ranking: readonly string[], judgements: Judgements) => ndcg(ranking, judgements, 10),
  'mrr@10': (ranking: readonly string[], judgements: Judgements) => reciprocalRank(ranking, judgements, 10),
  'recall@10': (ranking: readonly string[], judgements: Judgements) => recall(ranking, judgements, 10),
  'recall@100': (ranking: readonly string[], judgements: Judgements) => recall(ranking, judgements, 100),
} as const

export type MetricName = keyof typeof METRICS
export type Scores = Record<MetricName, number>

/** Means over the judged queries; a judged query without results counts 0. */
export function meanScores(
  runs: ReadonlyMap<string, string[]>,
  judged: ReadonlyMap<string, Judgements>,
): Scores {
  const scores = Object.fromEntries(Object.keys(METRICS).map((name) => [name, 0])) as Scores
  for (const [query, judgements] of judged) {
    const ranking = runs.get(query) ?? []
    for (const name of Object.keys(METRICS) as MetricName[]) {
      scores[name] += METRICS[name](ranking, judgements) / judged.size
    }
  }
  return scores
}
