import { ServiceError } from '../../../errors.ts'
import type { CollectionSettings } from '../../collection-settings.ts'
import type { Metadata } from '../../json.ts'
import { DateFields } from '../../metadata/dates.ts'
import { metadataValues } from '../../metadata-values.ts'
import { sqlPath, sqlValue } from '../filter/value-codec.ts'
import { inWords } from '../lexical/words-damage.ts'
import { indexedText } from '../lexical/words-table.ts'
import type { WireUpsert } from '../wire.ts'
import { type DocumentRow, documentChecksum, type PassageRow, passageChecksum } from './checksum.ts'
import type { LiveConnection } from './live-connection.ts'

/** A label is 32 bits wide in the graph. */
export const LABEL_MAX = 0xffff_ffff

export type RowWriter = ReturnType<typeof rowWriter>

/** Changes rows, and the words they are found by, inside the caller's transaction. */
export function rowWriter(
  db: LiveConnection,
  { analysis, dates }: Pick<CollectionSettings, 'analysis' | 'dates'>,
) {
  const dateFields = new DateFields(dates)
  const keyOfId = db.keep('SELECT document FROM documents WHERE id = ?', 'values')
  const holds = db.keep(
    'SELECT 1 FROM documents WHERE document = ? AND title IS ? AND text = ? AND metadata = ?',
    'values',
  )
  const lastLabel = db.keep("SELECT seq FROM sqlite_sequence WHERE name = 'passages'", 'values')
  const deleteDocument = db.keep('DELETE FROM documents WHERE document = ?')
  const deleteWords = db.keep('DELETE FROM words WHERE rowid = ?')
  const deleteValues = db.keep('DELETE FROM metadata_values WHERE document = ?')
  const deletePassages = db.keep(`
    DELETE FROM passages WHERE label >= ? AND label <
      (SELECT coalesce(min(document), ${LABEL_MAX + 1}) FROM documents WHERE document > ?)`)
  const updateMetadata = db.keep('UPDATE documents SET metadata = ?, checksum = ? WHERE document = ?')
  const insertDocument = db.keep('INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)')
  const insertWords = db.keep('INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)')
  const insertPassage = db.keep('INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)')
  const insertValue = db.keep(
    'INSERT OR IGNORE INTO metadata_values (path, value, document) VALUES (?, ?, ?)',
  )

  /** A whole row and its passages, under their own labels. */
  function insertRows(row: DocumentRow, parts: PassageRow[]) {
    const { document, id, title, text, metadata, passages } = row
    insertDocument().run(document, id, title, text, metadata, passages, documentChecksum(row))
    inWords(() => insertWords().run(document, indexedText(title, analysis), indexedText(text, analysis)))
    const passage = insertPassage()
    for (const part of parts) {
      const { label, ordinal, start, end, vector } = part
      passage.run(label, document, ordinal, start, end, passageChecksum(part), vector)
    }
    insertValues(document, metadata)
  }

  function insertValues(document: number, metadata: string) {
    const value = insertValue()
    for (const { path, value: given } of metadataValues(JSON.parse(metadata) as Metadata, dateFields)) {
      value.run(sqlPath(path), sqlValue(given), document)
    }
  }

  return {
    /** Whether the document of a key says just this. */
    holds: (document: number, { title, text, metadata }: WireUpsert) =>
      holds().get(document, title, text, metadata) !== undefined,

    keyOf: (id: string) => keyOfId().get(id) as number | undefined,

    /** All of a document, also where its own row no longer says how much that is. */
    delete(document: number): void {
      deleteDocument().run(document)
      inWords(() => deleteWords().run(document))
      deleteValues().run(document)
      deletePassages().run(document, document)
    },

    insertRows,

    /** Other metadata for a document that is there; its passages stay. @param row as it is to be */
    setMetadata(row: DocumentRow): void {
      const { document, metadata } = row
      updateMetadata().run(metadata, documentChecksum(row), document)
      deleteValues().run(document)
      insertValues(document, metadata)
    },

    /**
     * @param vectors of its passages, one after another
     * @returns the document's key: the label of its first passage, those of the others follow
     */
    insert({ id, title, text, metadata, spans }: WireUpsert, vectors: Float32Array): number {
      const document = 1 + ((lastLabel().get() as number | undefined) ?? 0)
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
