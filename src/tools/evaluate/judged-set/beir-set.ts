import { basename, join, resolve } from 'node:path'
import { type QueryJudgements, qrelsFile, readJudgements } from './qrels.ts'
import { textLines, unreadable } from './text-lines.ts'

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
  /** Queries of the qrels file that queries.jsonl lacks: they cannot be asked and count nowhere. */
  missingQueries: number
}

export interface BeirOptions {
  /** Reads qrels/<split>.tsv. */
  split?: string
  /** Only the first ones among the judged queries. */
  queriesMax?: number
}

/**
 * Opens a folder with corpus.jsonl (`_id, title?, text`), queries.jsonl (`_id, text`) and qrels.tsv or
 * qrels/<split>.tsv. Judgements and judged queries are read now, documents when they are asked for.
 * @throws ToolError INPUT_UNUSABLE naming file and line
 */
export async function readBeirSet(folder: string, options: BeirOptions = {}): Promise<BeirSet> {
  const judged = await readJudgements(qrelsFile(folder, options.split))
  const queries = await readQueries(join(folder, 'queries.jsonl'), judged)
  if (queries.length === 0) throw unreadable(folder, 'no query of queries.jsonl is judged in the qrels file')
  const missingQueries = judged.size - queries.length
  queries.splice(options.queriesMax ?? queries.length)
  return {
    name: basename(resolve(folder)),
    documents: () => readDocuments(join(folder, 'corpus.jsonl')),
    queries,
    judgements: new Map(queries.map(({ id }) => [id, judged.get(id)!])),
    missingQueries,
  }
}

async function readQueries(file: string, judged: QueryJudgements): Promise<BeirSet['queries']> {
  const queries = new Map<string, { id: string; text: string }>()
  for await (const { place, id, text } of rows(file)) {
    if (!judged.has(id)) continue
    if (queries.has(id)) throw unreadable(place, `the query ${id} is there twice`)
    if (text.trim() === '') throw unreadable(place, 'the query has no text')
    queries.set(id, { id, text })
  }
  return [...queries.values()]
}

async function* readDocuments(file: string): AsyncGenerator<BeirDocument> {
  let read = 0
  for await (const { line, id, title, text } of rows(file)) {
    read++
    yield text.trim() ? { line, id, title: title || null, text } : { line, id, title: null, text: title }
  }
  if (read === 0) throw unreadable(file, 'it holds no document')
}

async function* rows(file: string) {
  for await (const { number, text: json } of textLines(file)) {
    const place = `${file}:${number}`
    let row: { _id?: unknown; text?: unknown; title?: unknown } | null
    try {
      row = JSON.parse(json)
    } catch {
      throw unreadable(place, 'not JSON')
    }
    const id = row?._id
    if ((typeof id !== 'string' && typeof id !== 'number') || id === '' || typeof row?.text !== 'string') {
      throw unreadable(place, 'lacks _id or text')
    }
    const title = typeof row.title === 'string' ? row.title.trim() : ''
    yield { place, line: number, id: String(id), title, text: row.text }
  }
}
