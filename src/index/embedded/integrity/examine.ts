import type { Metadata } from '../../json.ts'
import type { DateFields } from '../../metadata/dates.ts'
import { metadataValues } from '../../metadata-values.ts'
import type { Problem, RowReader } from '../database/checked-rows.ts'
import type { DocumentRow, PassageRow } from '../database/checksum.ts'
import { isDamage } from '../database/connection.ts'
import type { LiveConnection } from '../database/live-connection.ts'
import { type SqlValue, sqlPath, sqlValue } from '../filter/value-codec.ts'

/** A document with all that belongs to it, each row as its checksum says. */
export interface WholeDocument {
  row: DocumentRow
  passages: PassageRow[]
}

/** Reads all rows of a document. */
export function examineDocument(
  rows: RowReader,
  document: number,
  dimensions: number,
): WholeDocument | { problem: Problem } {
  const found = rows.document(document)
  if (!found) return { problem: 'its row is missing' }
  if ('problem' in found) return found
  const passages: PassageRow[] = []
  for (let ordinal = 0; ordinal < found.row.passages; ordinal++) {
    const passage = rows.passage(document + ordinal)
    if (!passage) return { problem: 'a passage is missing' }
    if ('problem' in passage) return passage
    const { row } = passage
    if (row.document !== document || row.ordinal !== ordinal || row.vector.length !== dimensions * 4) {
      return { problem: 'a passage does not fit its checksum' }
    }
    passages.push(row)
  }
  return { row: found.row, passages }
}

/** Whether a whole document is found by its id and by every value of its metadata, and by no other. */
export function isIndexed(
  db: LiveConnection,
  rows: RowReader,
  { document, id, metadata }: DocumentRow,
  dates: DateFields,
): boolean {
  try {
    if (rows.keyOf(id) !== document) return false
    const expected = new Set<string>()
    for (const { path, value } of metadataValues(JSON.parse(metadata) as Metadata, dates)) {
      const place = sqlPath(path)
      const stored = sqlValue(value)
      expected.add(key(place, stored))
      const found = db
        .prepare('SELECT 1 FROM metadata_values WHERE path = ? AND value = ? AND document = ?', 'values')
        .get(place, stored, document)
      if (found === undefined) return false
    }
    const own = db
      .prepare(
        'SELECT path, value FROM metadata_values INDEXED BY metadata_values_by_document WHERE document = ?',
        'lists',
      )
      .all(document) as [string, SqlValue][]
    return own.length === expected.size && own.every(([path, value]) => expected.has(key(path, value)))
  } catch (error) {
    if (!isDamage(error)) throw error
    return false
  }
}

function key(path: string, value: SqlValue): string {
  return JSON.stringify([path, Buffer.isBuffer(value) ? value.toString('hex') : [value]])
}
