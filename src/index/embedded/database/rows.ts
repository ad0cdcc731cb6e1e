import { ServiceError } from '../../../errors.ts'
import type { Span } from '../../document.ts'
import type { Metadata } from '../../json.ts'
import { metadataValues } from '../../metadata-values.ts'
import { sqlPath, sqlValue } from '../filter/value-codec.ts'
import type { WireDocument, WireUpsert } from '../wire.ts'
import { documentChecksum, passageChecksum } from './checksum.ts'
import type { Connection } from './connection.ts'

const LABEL_MAX = 0xffff_ffff

/** Changes rows, inside the caller's transaction. */
export function rowWriter(db: Connection) {
  const keyOfId = db.prepare('SELECT document FROM documents WHERE id = ?').pluck()
  const lastLabel = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").pluck()
  const deleteDocument = db.prepare('DELETE FROM documents WHERE document = ? RETURNING passages').pluck()
  const deletePassages = db.prepare('DELETE FROM passages WHERE label >= ? AND label < ?')
  const deleteValues = db.prepare('DELETE FROM metadata_values WHERE document = ?')
  const insertDocument = db.prepare('INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)')
  const insertPassage = db.prepare('INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)')
  const insertValue = db.prepare(
    'INSERT OR IGNORE INTO metadata_values (path, value, document) VALUES (?, ?, ?)',
  )

  return {
    keyOf: (id: string) => keyOfId.get(id) as number | undefined,

    delete(document: number): void {
      const passages = deleteDocument.get(document) as number
      deleteValues.run(document)
      deletePassages.run(document, document + passages)
    },

    /**
     * @param vectors of its passages, one after another
     * @returns the document's key: the label of its first passage, those of the others follow
     */
    insert({ id, title, text, metadata, spans }: WireUpsert, vectors: Float32Array): number {
      const document = 1 + ((lastLabel.get() as number | undefined) ?? 0)
      if (document + spans.length - 1 > LABEL_MAX) {
        throw new ServiceError(
          'STORE_UNUSABLE',
          'This collection has used up its 2^32 labels; ingest its documents into an empty one.',
        )
      }
      const row = { document, id, title, text, metadata, passages: spans.length }
      insertDocument.run(document, id, title, text, metadata, spans.length, documentChecksum(row))
      const bytes = vectors.byteLength / spans.length
      for (const [ordinal, { start, end }] of spans.entries()) {
        const vector = Buffer.from(vectors.buffer, vectors.byteOffset + ordinal * bytes, bytes)
        const label = document + ordinal
        const checksum = passageChecksum({ label, document, ordinal, start, end, vector })
        insertPassage.run(label, document, ordinal, start, end, checksum, vector)
      }
      for (const { path, value } of metadataValues(JSON.parse(metadata) as Metadata)) {
        insertValue.run(sqlPath(path), sqlValue(value), document)
      }
      return document
    },
  }
}

/** Where a passage stands, and the id of its document. */
export interface FoundPassage extends Span {
  id: string
  ordinal: number
}

export type RowReader = ReturnType<typeof rowReader>

/** Reads what is committed. */
export function rowReader(db: Connection) {
  const columns = 'id, title, text, metadata'
  const byId = db.prepare(`SELECT ${columns} FROM documents WHERE id = ?`)
  const byKey = db.prepare(`SELECT ${columns} FROM documents WHERE document = ?`)
  const keyOfId = db.prepare('SELECT document FROM documents WHERE id = ?').pluck()
  const passage = db.prepare(`
    SELECT id, ordinal, "start", "end" FROM passages JOIN documents USING (document) WHERE label = ?`)
  const span = db.prepare('SELECT "start", "end" FROM passages WHERE label = ?')
  // "" comes before every id. Both walk the index on id alone.
  const idsAfter = db.prepare('SELECT id, document FROM documents WHERE id > ? ORDER BY id LIMIT ?')
  const vectorsAfter = db.prepare(
    'SELECT label, document, vector FROM passages WHERE label > ? ORDER BY label LIMIT ?',
  )

  return {
    byId: (id: string) => byId.get(id) as WireDocument | undefined,
    byKey: (document: number) => byKey.get(document) as WireDocument | undefined,
    keyOf: (id: string) => keyOfId.get(id) as number | undefined,
    passage: (label: number) => passage.get(label) as FoundPassage | undefined,
    span: (label: number) => span.get(label) as Span | undefined,
    idsAfter: (id: string, limit: number) => idsAfter.all(id, limit) as { id: string; document: number }[],
    vectorsAfter: (label: number, limit: number) =>
      vectorsAfter.all(label, limit) as { label: number; document: number; vector: Buffer }[],
  }
}
