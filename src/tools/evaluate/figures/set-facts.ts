import type { BeirSet } from '../judged-set/beir-set.ts'
import { surveyCorpus, withText } from '../judged-set/corpus-survey.ts'
import type { SearchSystem } from '../systems/search-system.ts'
import type { JudgeOptions } from './run-queries.ts'

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

/** What a set is, whatever it is asked. */
export interface SetFacts {
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
}

/** The facts of a set. @param corpus null where documents already in the system are used */
export function factsOf(set: BeirSet, corpus: CorpusFigures | null): SetFacts {
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
  }
}

/** Stores the set's documents, unless they are there already. @throws ToolError, ServiceError */
export async function ingestSet(
  system: SearchSystem,
  set: BeirSet,
  { useExisting, signal = new AbortController().signal, onProgress }: JudgeOptions,
): Promise<CorpusFigures | null> {
  if (useExisting) return null
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
