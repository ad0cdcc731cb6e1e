import type { BeirSet } from '../judged-set/beir-set.ts'
import { surveyCorpus, withText } from '../judged-set/corpus-survey.ts'
import type { SearchSystem } from '../systems/search-system.ts'
import { METRIC_NAMES, type Scores } from './retrieval-metrics.ts'
import { type JudgeOptions, type Percentiles, percentiles, runQueries } from './run-queries.ts'

/** Facts about the documents; null where those already in the system were used. */
interface CorpusFigures {
  /** Stored and searchable. */
  documents: number
  truncatedDocuments: number
  /** Documents of the set with neither text nor title: they cannot be found by anyone. */
  skippedDocuments: number
  /** Documents that the system did not take. */
  refusedDocuments: number
  firstRefusal: string | null
  /** Documents that the qrels name and the corpus lacks: counted as not found, as trec_eval does. */
  unknownDocuments: number
  firstUnknown: string | null
}

export interface SearchFigures {
  corpus: CorpusFigures | null
  documents: number | null
  queries: number
  judgements: number
  /** Queries of the qrels that queries.jsonl lacks, or has without text: not asked, not counted. */
  missingQueries: number
  /** Pairs that the qrels judge twice and differently: the last judgement counts. */
  rejudged: number
  /** A document with the query's own id was no result. */
  sameIdLeftOut: boolean
  /** Queries without a single relevant document: every figure of theirs is 0, as trec_eval has it. */
  hopelessQueries: number
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
  /** Of single searches for ten results, in milliseconds: the vector, the neighbours, and the whole request. */
  latency_ms: { embed: Percentiles; search: Percentiles; request: Percentiles }
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
  const corpus = options.useExisting ? null : await ingestSet(system, set, options)
  const ingestedAt = performance.now()
  const { exact, hnsw, recallAt10, paths, timings } = await runQueries(system, set, options)
  const ended = performance.now()
  const judged = [...set.judgements.values()]
  return {
    corpus,
    documents: corpus?.documents ?? null,
    queries: set.queries.length,
    judgements: judged.reduce((sum, ofQuery) => sum + ofQuery.size, 0),
    missingQueries: set.missingQueries,
    rejudged: set.rejudged,
    sameIdLeftOut: set.leaveOutSameId,
    hopelessQueries: judged.filter((ofQuery) => ![...ofQuery.values()].some((grade) => grade > 0)).length,
    exact,
    hnsw,
    ann_loss: Object.fromEntries(METRIC_NAMES.map((name) => [name, exact[name] - hnsw[name]])) as Scores,
    'hnsw_recall@10': recallAt10,
    paths,
    latency_ms: {
      embed: percentiles(timings.map(({ embed }) => embed)),
      search: percentiles(timings.map(({ search }) => search)),
      request: percentiles(timings.map(({ request }) => request)),
    },
    seconds: { documents: (ingestedAt - started) / 1000, queries: (ended - ingestedAt) / 1000 },
  }
}

async function ingestSet(
  system: SearchSystem,
  set: BeirSet,
  { signal = new AbortController().signal, onProgress }: JudgeOptions,
): Promise<CorpusFigures> {
  // Read through once before the long work: a faulty line is reported now, and the total is known.
  const survey = await surveyCorpus(set)
  const ingested = await system.ingest(withText(set), {
    signal,
    onStored: (done) => onProgress?.('documents', done, survey.documents),
  })
  return {
    documents: ingested.documents,
    truncatedDocuments: ingested.truncated,
    skippedDocuments: survey.empty,
    refusedDocuments: ingested.refused,
    firstRefusal: ingested.firstRefusal,
    unknownDocuments: survey.unknown,
    firstUnknown: survey.firstUnknown,
  }
}
