import { type DocumentRow, documentChecksum, type PassageRow, passageChecksum } from '../database/checksum.ts'
import type { Connection } from '../database/connection.ts'
import { CHECKSUMS_SINCE, isOurs, readFact } from '../database/schema.ts'
import { breathe } from './durable-files.ts'

const CHUNK = 256

export interface DatabaseFacts {
  documents: number
  passages: number
  dimensions: number
  fingerprint: string
  databaseFormat: number
}

/**
 * Reads a database from end to end: its pages and indexes by SQLite's own check, every row against its checksum, and
 * that documents and passages belong together. A database of an older format has no checksums; there the first is all.
 *
 * @param damaged makes the error out of what is wrong
 * @throws what `damaged` makes, ServiceError ABORTED, what SQLite throws
 */
export async function checkDatabase(
  db: Connection,
  damaged: (problem: string) => Error,
  signal?: AbortSignal,
): Promise<DatabaseFacts> {
  await breathe(signal)
  if (!isOurs(db)) throw damaged('a database is not of this program')
  // What a row holds is held against its checksum.
  db.pragma('ignore_check_constraints = ON')
  const problem = db.pragma('integrity_check(1)', { simple: true })
  if (problem !== 'ok') throw damaged(String(problem))
  const databaseFormat = Number(db.pragma('user_version', { simple: true }))
  const facts = {
    dimensions: Number(readFact(db, 'dimensions')),
    fingerprint: readFact(db, 'fingerprint') ?? '',
    databaseFormat,
  }
  if (databaseFormat < CHECKSUMS_SINCE) {
    const documents = db.prepare('SELECT count(*) FROM documents').pluck().get() as number
    return { ...facts, documents, passages: documents }
  }
  const documents = await checkDocuments(db, damaged, signal)
  const passages = await checkPassages(db, damaged, signal)
  const strays = db
    .prepare(
      `SELECT count(*) FROM passages LEFT JOIN documents USING (document)
       WHERE documents.document IS NULL OR ordinal >= documents.passages OR label <> document + ordinal`,
    )
    .pluck()
    .get()
  const expected = db.prepare('SELECT coalesce(sum(passages), 0) FROM documents').pluck().get()
  if (strays !== 0 || expected !== passages) throw damaged('documents and passages do not belong together')
  return { ...facts, documents, passages }
}

async function checkDocuments(
  db: Connection,
  damaged: (problem: string) => Error,
  signal?: AbortSignal,
): Promise<number> {
  const page = db.prepare('SELECT * FROM documents WHERE document > ? ORDER BY document LIMIT ?')
  let count = 0
  for (let last = 0; ; ) {
    const rows = page.all(last, CHUNK) as (DocumentRow & { checksum: Buffer })[]
    for (const row of rows) {
      if (!Buffer.isBuffer(row.checksum) || !documentChecksum(row).equals(row.checksum)) {
        throw damaged(`the checksum of the document with key ${row.document} is wrong`)
      }
    }
    count += rows.length
    if (rows.length === 0) return count
    last = rows.at(-1)!.document
    await breathe(signal)
  }
}

async function checkPassages(
  db: Connection,
  damaged: (problem: string) => Error,
  signal?: AbortSignal,
): Promise<number> {
  const page = db.prepare('SELECT * FROM passages WHERE label > ? ORDER BY label LIMIT ?')
  let count = 0
  for (let last = 0; ; ) {
    const rows = page.all(last, CHUNK) as (PassageRow & { checksum: Buffer })[]
    for (const row of rows) {
      const readable = Buffer.isBuffer(row.checksum) && Buffer.isBuffer(row.vector)
      if (!readable || !passageChecksum(row).equals(row.checksum)) {
        throw damaged(`the checksum of the passage with label ${row.label} is wrong`)
      }
    }
    count += rows.length
    if (rows.length === 0) return count
    last = rows.at(-1)!.label
    await breathe(signal)
  }
}
