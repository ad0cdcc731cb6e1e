import { createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ServiceError } from '../errors.ts'

export interface BeirDocument {
  id: string
  title: string | null
  text: string
}

/** A judged retrieval set in BEIR's layout (Thakur et al. 2021). */
export interface BeirSet {
  documents: BeirDocument[]
  /** Only queries with at least one judgement. */
  queries: { id: string; text: string }[]
  /** query id -> document id -> grade */
  judgements: Map<string, Map<string, number>>
}

/**
 * Reads corpus.jsonl (`_id, title?, text`), queries.jsonl (`_id, text`) and qrels.tsv or qrels/test.tsv
 * (query-id, corpus-id, score; a heading line is allowed).
 * @throws ServiceError INVALID_INPUT naming the file and line
 */
export async function readBeirSet(folder: string): Promise<BeirSet> {
  const judgements = await readJudgements(await qrelsFile(folder))
  const documents: BeirDocument[] = []
  for await (const row of jsonLines(join(folder, 'corpus.jsonl'))) {
    documents.push({ id: row.id, title: row.title?.trim() || null, text: row.text })
  }
  const queries: BeirSet['queries'] = []
  for await (const row of jsonLines(join(folder, 'queries.jsonl'))) {
    if (judgements.has(row.id)) queries.push({ id: row.id, text: row.text })
  }
  if (queries.length === 0) throw unreadable(folder, 'no query of queries.jsonl is judged in the qrels file')
  return { documents, queries, judgements }
}

async function qrelsFile(folder: string): Promise<string> {
  for (const name of ['qrels.tsv', join('qrels', 'test.tsv')]) {
    const file = join(folder, name)
    if (
      await access(file).then(
        () => true,
        () => false,
      )
    )
      return file
  }
  throw unreadable(folder, 'it holds neither qrels.tsv nor qrels/test.tsv')
}

async function readJudgements(file: string): Promise<Map<string, Map<string, number>>> {
  const judgements = new Map<string, Map<string, number>>()
  let number = 0
  for await (const line of lines(file)) {
    number++
    if (line.trim() === '') continue
    const fields = line.split('\t')
    const [query, document, score] = fields.length === 4 ? [fields[0], fields[2], fields[3]] : fields
    const grade = Number(score)
    if (!query || !document || score === undefined || !Number.isFinite(grade)) {
      if (number === 1) continue
      throw unreadable(file, `line ${number} is not "query-id<TAB>corpus-id<TAB>score"`)
    }
    const ofQuery = judgements.get(query) ?? new Map<string, number>()
    judgements.set(query, ofQuery.set(document, grade))
  }
  return judgements
}

interface Row {
  id: string
  text: string
  title?: string
}

async function* jsonLines(file: string): AsyncGenerator<Row> {
  let number = 0
  for await (const line of lines(file)) {
    number++
    if (line.trim() === '') continue
    let row: { _id?: unknown; text?: unknown; title?: unknown } | null
    try {
      row = JSON.parse(line)
    } catch {
      throw unreadable(file, `line ${number} is not JSON`)
    }
    if (row?._id === undefined || typeof row.text !== 'string') {
      throw unreadable(file, `line ${number} lacks _id or text`)
    }
    yield { id: String(row._id), text: row.text, ...(typeof row.title === 'string' && { title: row.title }) }
  }
}

async function* lines(file: string): AsyncGenerator<string> {
  const stream = createReadStream(file, 'utf8')
  try {
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })
  } catch (error) {
    throw unreadable(file, (error as Error).message)
  } finally {
    stream.destroy()
  }
}

function unreadable(path: string, why: string): ServiceError {
  return new ServiceError('INVALID_INPUT', `Cannot read the judged set at ${path}: ${why}.`)
}
