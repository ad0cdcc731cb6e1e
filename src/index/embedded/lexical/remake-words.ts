import type { Analysis } from '../../collection-settings.ts'
import type { LiveConnection } from '../database/live-connection.ts'
import type { StoredDocuments } from '../integrity/stored-documents.ts'
import { indexedText, wordsDdl } from './words-table.ts'

/** Where FTS5 keeps the index. https://www.sqlite.org/fts5.html#fts5_data_structures */
const PARTS = ['data', 'idx', 'docsize', 'config', 'content']

/**
 * Makes the index of words anew from the documents, in one transaction after the old one is gone; a process that ends in
 * between finds no index, and makes it at its next start.
 *
 * @param documents keys; one that turns out to be damaged is left out
 * @param pause awaited often
 * @throws what SQLite throws, for instance where the disk is full
 */
export async function remakeWords(
  db: LiveConnection,
  {
    stored,
    documents,
    analysis,
  }: { stored: StoredDocuments; documents: readonly number[]; analysis: Analysis },
  pause: () => Promise<void>,
): Promise<void> {
  dropWords(db)
  const { current } = db
  current.exec('BEGIN IMMEDIATE')
  try {
    current.exec(wordsDdl(analysis))
    const insert = db.prepare('INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)')
    for (const document of documents) {
      const found = stored.byKey(document)
      if (found) {
        insert.run(document, indexedText(found.title, analysis), indexedText(found.text, analysis))
      }
      await pause()
    }
    current.exec('COMMIT')
  } catch (error) {
    if (current.inTransaction) current.exec('ROLLBACK')
    throw error
  }
}

/** Also where it is too damaged for SQLite to open it, and so to drop it. */
function dropWords({ current: db }: LiveConnection): void {
  db.unsafeMode()
  try {
    db.pragma('writable_schema = ON')
    db.transaction(() => {
      db.exec("DELETE FROM sqlite_schema WHERE name IN ('words', 'word_places')")
      for (const part of PARTS) db.exec(`DROP TABLE IF EXISTS words_${part}`)
    }).immediate()
  } finally {
    db.pragma('writable_schema = RESET')
    db.unsafeMode(false)
  }
}
