import { ServiceError } from '../../../errors.ts'
import type { Metadata } from '../../json.ts'
import { metadataValues } from '../../metadata-values.ts'
import { sqlPath, sqlValue } from '../filter/value-codec.ts'
import type { Connection } from './connection.ts'

/** A document as stored; metadata is JSON text, read only by whoever needs it. */
export interface Row {
  label: number
  id: string
  title: string | null
  text: string
  metadata: string
}

export interface NewRow {
  id: string
  title: string | null
  text: string
  metadata: string
  vector: Float32Array
}

const LABEL_MAX = 0xffff_ffff

/** Changes rows, inside the caller's transaction. */
export function rowWriter(db: Connection) {
  const labelOfId = db.prepare('SELECT label FROM documents WHERE id = ?').pluck()
  const deleteDocument = db.prepare('DELETE FROM documents WHERE label = ?')
  const deleteVector = db.prepare('DELETE FROM vectors WHERE label = ?')
  const deleteValues = db.prepare('DELETE FROM metadata_values WHERE label = ?')
  const insertDocument = db.prepare('INSERT INTO documents (id, title, text, metadata) VALUES (?, ?, ?, ?)')
  const insertVector = db.prepare('INSERT INTO vectors (label, vector) VALUES (?, ?)')
  const insertValue = db.prepare(
    'INSERT OR IGNORE INTO metadata_values (path, value, label) VALUES (?, ?, ?)',
  )

  return {
    labelOf: (id: string) => labelOfId.get(id) as number | undefined,

    delete(label: number): void {
      deleteValues.run(label)
      deleteVector.run(label)
      deleteDocument.run(label)
    },

    /** @returns the new label */
    insert(row: NewRow): number {
      const { lastInsertRowid } = insertDocument.run(row.id, row.title, row.text, row.metadata)
      const label = Number(lastInsertRowid)
      if (label > LABEL_MAX) {
        throw new ServiceError(
          'STORE_UNUSABLE',
          'This store has used up its 2^32 vector labels; ingest the documents into an empty DATA_DIR.',
        )
      }
      const { buffer, byteOffset, byteLength } = row.vector
      insertVector.run(label, Buffer.from(buffer, byteOffset, byteLength))
      for (const { path, value } of metadataValues(JSON.parse(row.metadata) as Metadata)) {
        insertValue.run(sqlPath(path), sqlValue(value), label)
      }
      return label
    },
  }
}

export type RowReader = ReturnType<typeof rowReader>

/** Reads what is committed. */
export function rowReader(db: Connection) {
  const columns = 'label, id, title, text, metadata'
  const byId = db.prepare(`SELECT ${columns} FROM documents WHERE id = ?`)
  const byLabel = db.prepare(`SELECT ${columns} FROM documents WHERE label = ?`)
  const idOfLabel = db.prepare('SELECT id FROM documents WHERE label = ?').pluck()
  const labelOfId = db.prepare('SELECT label FROM documents WHERE id = ?').pluck()
  // "" comes before every id. Both walk the index on id alone.
  const idsAfter = db.prepare('SELECT id, label FROM documents WHERE id > ? ORDER BY id LIMIT ?')
  const vectorsAfter = db.prepare('SELECT label, vector FROM vectors WHERE label > ? ORDER BY label LIMIT ?')

  return {
    byId: (id: string) => byId.get(id) as Row | undefined,
    byLabel: (label: number) => byLabel.get(label) as Row | undefined,
    idOf: (label: number) => idOfLabel.get(label) as string | undefined,
    labelOf: (id: string) => labelOfId.get(id) as number | undefined,
    idsAfter: (id: string, limit: number) => idsAfter.all(id, limit) as { id: string; label: number }[],
    vectorsAfter: (label: number, limit: number) =>
      vectorsAfter.all(label, limit) as { label: number; vector: Buffer }[],
  }
}
