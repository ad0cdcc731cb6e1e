import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { isBlank } from '../../../retrieval/checks/check-text.ts'
import { unreadable } from '../../text-lines.ts'
import { type QueryJudgements, qrelsFile, readJudgements } from './qrels.ts'
import { queriesAreDocuments } from './queries-are-documents.ts'
import { SeenIds } from './seen-ids.ts'
import { setRows } from './set-rows.ts'

export interface BeirDocument {
  /** Line of corpus.jsonl, counted from 1. */
  line: number
  id: string
  title: string | null
  /** The title where the text is blank; empty where both are. */
  text: string
}

/** A judged retrieval set in BEIR's layout (Thakur et al. 2021). The corpus is not held in memory. */
export interface BeirSet {
  name: string
  /** Reads the corpus from its beginning, each time it is called. */
  documents: () => AsyncIterable<BeirDocument>
  /** Only queries with at least one judgement. */
  queries: { id: string; text: string }[]
  /** Of these queries only. */
  judgements: QueryJudgements
  /** Queries of the qrels file that queries.jsonl lacks or has without text: they are not asked and count nowhere. */
  missingQueries: number
  /** Pairs that the qrels file judges twice and differently. */
  rejudged: number
  /** BEIR's rule for queries that are documents: a document with the query's own id is no result of it. */
  leaveOutSameId: boolean
}

export interface BeirOptions {
  /** Reads qrels/<split>.tsv. */
  split?: string
  /** Only the first ones among the judged queries. */
  queriesMax?: number
  /** Whether a document with the query's own id counts; by default it does unless the queries are documents. */
  sameId?: 'keep' | 'leave-out'
}

/**
 * Opens a folder with corpus.jsonl (`_id`, and `title`, `text` or both), queries.jsonl (`_id, text`) and
 * qrels.tsv or qrels/<split>.tsv. Judgements and judged queries are held in memory; the corpus is read through here, unless
 * the rule for equal ids is given, and again whenever its documents are asked for.
 * @throws ToolError INPUT_UNUSABLE naming file and line
 */
export async function readBeirSet(folder: string, options: BeirOptions = {}): Promise<BeirSet> {
  const { judgements: judged, rejudged } = await readJudgements(qrelsFile(folder, options.split))
  const queries = await readQueries(join(folder, 'queries.jsonl'), judged)
  if (queries.length === 0) throw unreadable(folder, 'no query of queries.jsonl is judged in the qrels file')
  const missingQueries = judged.size - queries.length
  queries.splice(options.queriesMax ?? queries.length)
  const corpus = join(folder, 'corpus.jsonl')
  const set = {
    name: basename(resolve(folder)),
    documents: () => readDocuments(corpus),
    queries,
    judgements: new Map(queries.map(({ id }) => [id, judged.get(id)!])),
    missingQueries,
    rejudged,
  }
  const { sameId } = options
  // Without a corpus the set can still be asked where its documents are stored already.
  const byItself = sameId === undefined && existsSync(corpus)
  return { ...set, leaveOutSameId: byItself ? await queriesAreDocuments(set) : sameId === 'leave-out' }
}

async function readQueries(file: string, judged: QueryJudgements): Promise<BeirSet['queries']> {
  const seen = new SeenIds()
  const queries: BeirSet['queries'] = []
  for await (const { place, id, text } of setRows(file)) {
    if (!judged.has(id)) continue
    if (!seen.add(id)) throw unreadable(place, `the query ${id} is there twice`)
    if (!isBlank(text)) queries.push({ id, text })
  }
  return queries
}

async function* readDocuments(file: string): AsyncGenerator<BeirDocument> {
  const seen = new SeenIds()
  let read = 0
  for await (const { place, line, id, title, text, stated } of setRows(file)) {
    read++
    if (!stated) throw unreadable(place, 'lacks title and text')
    if (!seen.add(id)) throw unreadable(place, `the document ${id} is there twice`)
    yield isBlank(text) ? { line, id, title: null, text: title } : { line, id, title: title || null, text }
  }
  if (read === 0) throw unreadable(file, 'it holds no document')
}
