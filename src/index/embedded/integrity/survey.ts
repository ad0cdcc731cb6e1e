import { DateFields } from '../../metadata/dates.ts'
import { type Problem, rowReader } from '../database/checked-rows.ts'
import { readable } from '../database/connection.ts'
import type { LiveConnection } from '../database/live-connection.ts'
import { examineDocument, isIndexed, type WholeDocument } from './examine.ts'

const CHUNK = 1024

/** A document that can no longer be read whole. */
export interface LostDocument {
  /** Label of its first passage. */
  document: number
  /** Undefined where nothing says it any more. */
  id: string | undefined
  problem: Problem
}

export interface Survey {
  /** Documents that are whole. */
  documents: number
  passages: number
  lost: LostDocument[]
  /** Whole documents that lookups by id or filters would not find as they are. */
  misplaced: number
  /** Documents that the index for filters has and nothing else. */
  strayValues: number
}

export interface SurveyOptions {
  dimensions: number
  /** Of the collection's settings. */
  dates: readonly string[]
  /** Is given every whole document, in the order of their labels. */
  whole?: (document: WholeDocument) => void
  /** Awaited often. */
  pause?: () => Promise<void>
}

/** Looks at every row of a database, whatever can still be read of it. */
export async function survey(
  db: LiveConnection,
  { dimensions, dates, whole = () => {}, pause = async () => {} }: SurveyOptions,
): Promise<Survey> {
  const rows = rowReader(db)
  const dateFields = new DateFields(dates)
  const kept = new Set<number>()
  const lost = new Map<number, Problem>()
  const unreadable = new Set<number>()
  const found = { passages: 0, misplaced: 0 }
  for (const document of rows.keys((key) => unreadable.add(key))) {
    const examined = examineDocument(rows, document, dimensions)
    if ('problem' in examined) lost.set(document, examined.problem)
    else {
      kept.add(document)
      found.passages += examined.passages.length
      if (!isIndexed(db, rows, examined.row, dateFields)) found.misplaced++
      whole(examined)
    }
    await pause()
  }
  const gone = (document: number) => {
    if (kept.has(document) || lost.has(document)) return
    lost.set(document, unreadable.has(document) ? 'its row cannot be read' : 'its row is missing')
  }
  const ids = await idsByDocument(db, gone, lost, pause)
  // A damaged row that names a document which is there belongs to some other row's damage.
  const problem = (_: Problem, label: number, document: number | undefined) => {
    if (document === label) gone(document)
  }
  for (const { document } of rows.passages(problem)) {
    gone(document)
    await pause()
  }
  return {
    documents: kept.size,
    ...found,
    strayValues: strayValues(db, (document) => kept.has(document) || lost.has(document)),
    lost: [...lost]
      .map(([document, reason]) => ({
        document,
        id: ids.get(document) ?? rows.uncheckedId(document),
        problem: reason,
      }))
      .sort((a, b) => a.document - b.document),
  }
}

/** Ids by the index on id, which is apart from the rows, of documents that are lost. */
async function idsByDocument(
  db: LiveConnection,
  gone: (document: number) => void,
  lost: ReadonlyMap<number, Problem>,
  pause: () => Promise<void>,
): Promise<Map<number, string>> {
  const ids = new Map<number, string>()
  for (const read of [fromFirst, fromLast]) {
    const whole = await walkIds(
      (at, limit) => read(db, at, limit),
      pause,
      ({ id, document }) => {
        gone(document)
        if (lost.has(document)) ids.set(document, id)
      },
    )
    if (whole) break
  }
  return ids
}

interface IdEntry {
  id: string
  document: number
}

type ReadIds = (at: string | undefined, limit: number) => IdEntry[]

function fromFirst(db: LiveConnection, at: string | undefined, limit: number): IdEntry[] {
  const sql = 'SELECT id, document FROM documents WHERE id > ? ORDER BY id LIMIT ?'
  return db.prepare(sql).all(at ?? '', limit) as IdEntry[]
}

function fromLast(db: LiveConnection, at: string | undefined, limit: number): IdEntry[] {
  const sql = 'SELECT id, document FROM documents WHERE id < ? ORDER BY id DESC LIMIT ?'
  // Every text is less than any bytes.
  return db.prepare(sql).all(at ?? Buffer.alloc(0), limit) as IdEntry[]
}

/** @returns whether all could be read */
async function walkIds(
  read: ReadIds,
  pause: () => Promise<void>,
  each: (entry: IdEntry) => void,
): Promise<boolean> {
  const seen = new Set<unknown>()
  let at: string | undefined
  for (let limit = CHUNK; ; ) {
    const entries = readable(() => read(at, limit))
    if (!entries && limit === 1) return false
    if (!entries) {
      limit = 1
      continue
    }
    const last = entries.at(-1)
    if (!last) return true
    for (const entry of entries) each(entry)
    // A damaged page may lead back.
    if (typeof last.id !== 'string' || seen.has(last.id)) return false
    seen.add(last.id)
    at = last.id
    await pause()
  }
}

/** Documents that only the index for filters knows. */
function strayValues(db: LiveConnection, known: (document: number) => boolean): number {
  const sql =
    'SELECT DISTINCT document FROM metadata_values INDEXED BY metadata_values_by_document ORDER BY document'
  const documents = readable(() => db.prepare(sql, 'values').all() as number[]) ?? []
  return documents.filter((document) => !known(document)).length
}
