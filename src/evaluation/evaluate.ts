import type { Retrieval } from '../retrieval/context.ts'
import { ingest } from '../retrieval/ingest.ts'
import { search } from '../retrieval/search.ts'
import type { BeirSet } from './beir.ts'
import { judgedOrder, meanScores, type ScoredDocument, type Scores } from './metrics.ts'

const DOCUMENTS_AT_ONCE = 512
const QUERIES_AT_ONCE = 16

export interface EvaluationOptions {
  /** Results a query: at least as many as the deepest figure looks at. Default 100. */
  k?: number
  /** Breadth of the graph walk; the store's default where absent. */
  ef?: number
  onProgress?: (phase: 'documents' | 'queries', done: number, total: number) => void
}

export interface Evaluation {
  documents: number
  /** Documents of the set with neither text nor title: they cannot be found by anyone. */
  skippedDocuments: number
  truncatedDocuments: number
  queries: number
  judgements: number
  /** Every document scored: what the model can do. */
  exact: Scores
  /** The graph's answer: exact - hnsw is the loss of the index. */
  hnsw: Scores
  /** Mean share of the exact ten nearest among the graph's ten. */
  'hnsw_recall@10': number
  /** Which paths answered the unforced searches. */
  paths: string[]
  seconds: { documents: number; queries: number }
}

/**
 * Ingests a judged set and searches it twice with every judged query, exactly and through the graph, by the same
 * verbs that serve requests. The store should be empty.
 * @throws ServiceError as ingest and search do
 */
export async function evaluate(
  retrieval: Retrieval,
  set: BeirSet,
  options: EvaluationOptions = {},
): Promise<Evaluation> {
  const started = performance.now()
  const ingested = await ingestSet(retrieval, set, options)
  const ingestedAt = performance.now()
  const exact = await runQueries(retrieval, set, { ...options, exact: true })
  const hnsw = await runQueries(retrieval, set, options)
  const ended = performance.now()
  return {
    ...ingested,
    queries: set.queries.length,
    judgements: [...set.judgements.values()].reduce((sum, ofQuery) => sum + ofQuery.size, 0),
    exact: meanScores(exact.rankings, set.judgements),
    hnsw: meanScores(hnsw.rankings, set.judgements),
    'hnsw_recall@10': meanOverlap(exact.found, hnsw.found, 10),
    paths: [...hnsw.paths],
    seconds: { documents: (ingestedAt - started) / 1000, queries: (ended - ingestedAt) / 1000 },
  }
}

async function ingestSet(retrieval: Retrieval, set: BeirSet, { onProgress }: EvaluationOptions) {
  const documents = set.documents
    .map(({ id, title, text }) =>
      text.trim() ? { id, title, text } : { id, title: null, text: title ?? '' },
    )
    .filter(({ text }) => text.trim() !== '')
  let truncatedDocuments = 0
  for (let start = 0; start < documents.length; start += DOCUMENTS_AT_ONCE) {
    const part = documents.slice(start, start + DOCUMENTS_AT_ONCE)
    truncatedDocuments += (await ingest(retrieval, part, { truncate: 'end' })).truncated.length
    onProgress?.('documents', start + part.length, documents.length)
  }
  const skippedDocuments = set.documents.length - documents.length
  return { documents: documents.length, skippedDocuments, truncatedDocuments }
}

interface Run {
  /** query id -> document ids as trec_eval orders them */
  rankings: Map<string, string[]>
  /** query id -> ids in the store's own order */
  found: Map<string, string[]>
  paths: Set<string>
}

async function runQueries(
  retrieval: Retrieval,
  { queries }: BeirSet,
  { k = 100, ef, exact = false, onProgress }: EvaluationOptions & { exact?: boolean },
): Promise<Run> {
  const run: Run = { rankings: new Map(), found: new Map(), paths: new Set() }
  for (let start = 0; start < queries.length; start += QUERIES_AT_ONCE) {
    const part = queries.slice(start, start + QUERIES_AT_ONCE)
    const { batches } = await search(retrieval, {
      target: { kind: 'texts', texts: part.map(({ text }) => text), task: 'retrieval', field: 'queries' },
      k,
      options: { documents: false, exact, ...(ef !== undefined && { ef }) },
    })
    batches.forEach(({ hits, path }, index) => {
      const { id } = part[index]!
      run.rankings.set(id, judgedOrder(hits satisfies ScoredDocument[]))
      run.found.set(
        id,
        hits.map((hit) => hit.id),
      )
      run.paths.add(path)
    })
    onProgress?.('queries', start + part.length, queries.length)
  }
  return run
}

function meanOverlap(one: Map<string, string[]>, other: Map<string, string[]>, k: number): number {
  let sum = 0
  for (const [query, ids] of one) {
    const nearest = ids.slice(0, k)
    const found = new Set(other.get(query)?.slice(0, k))
    sum += nearest.length === 0 ? 1 : nearest.filter((id) => found.has(id)).length / nearest.length
  }
  return sum / one.size
}
