import { ServiceError } from '../../../errors.ts'
import type { Metadata } from '../../json.ts'
import { metadataValues } from '../../metadata-values.ts'
import { sqlPath, sqlValue } from '../filter/value-codec.ts'
import type { WireUpsert } from '../wire.ts'
import { type DocumentRow, documentChecksum, type PassageRow, passageChecksum } from './checksum.ts'
import type { LiveConnection } from './live-connection.ts'

/** A label is 32 bits wide in the graph. */
export const LABEL_MAX = 0xffff_ffff

export type RowWriter = ReturnType<typeof rowWriter>

/** Changes rows, inside the caller's transaction. */
export function rowWriter(db: LiveConnection) {
  const run = (sql: string, ...values: unknown[]) => db.prepare(sql).run(...values)
  const value = (sql: string, ...values: unknown[]) => db.prepare(sql, 'values').get(...values)

  /** A whole row and its passages, under their own labels. */
  function insertRows({ document, id, title, text, metadata, passages }: DocumentRow, parts: PassageRow[]) {
    const checksum = documentChecksum({ document, id, title, text, metadata, passages })
    run(
      'INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)',
      document,
      id,
      title,
      text,
      metadata,
      passages,
      checksum,
    )
    for (const part of parts) {
      const { label, ordinal, start, end, vector } = part
      const own = passageChecksum(part)
      run(
        'INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)',
        label,
        document,
        ordinal,
        start,
        end,
        own,
        vector,
      )
    }
    for (const { path, value: given } of metadataValues(JSON.parse(metadata) as Metadata)) {
      run(
        'INSERT OR IGNORE INTO metadata_values (path, value, document) VALUES (?, ?, ?)',
        sqlPath(path),
        sqlValue(given),
        document,
      )
    }
  }

  return {
    keyOf: (id: string) => value('SELECT document FROM documents WHERE id = ?', id) as number | undefined,

    /** All of a document, also where its own row no longer says how much that is. */
    delete(document: number): void {
      run('DELETE FROM documents WHERE document = ?', document)
      run('DELETE FROM metadata_values WHERE document = ?', document)
      run(
        `DELETE FROM passages WHERE label >= ? AND label <
          (SELECT coalesce(min(document), ${LABEL_MAX + 1}) FROM documents WHERE document > ?)`,
        document,
        document,
      )
    },

    insertRows,

    /**
     * @param vectors of its passages, one after another
     * @returns the document's key: the label of its first passage, those of the others follow
     */
    insert({ id, title, text, metadata, spans }: WireUpsert, vectors: Float32Array): number {
      const last = value("SELECT seq FROM sqlite_sequence WHERE name = 'passages'") as number | undefined
      const document = 1 + (last ?? 0)
      if (document + spans.length - 1 > LABEL_MAX) {
        throw new ServiceError(
          'STORE_UNUSABLE',
          'This collection has used up its 2^32 labels; ingest its documents into an empty one.',
        )
      }
      const bytes = vectors.byteLength / spans.length
      const parts = spans.map(({ start, end }, ordinal) => {
        const vector = Buffer.from(vectors.buffer, vectors.byteOffset + ordinal * bytes, bytes)
        return { label: document + ordinal, document, ordinal, start, end, vector }
      })
      insertRows({ document, id, title, text, metadata, passages: spans.length }, parts)
      return document
    },
  }
}
