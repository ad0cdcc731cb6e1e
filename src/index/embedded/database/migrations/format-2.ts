import { documentChecksum, passageChecksum } from '../checksum.ts'
import type { Connection } from '../connection.ts'

/** Documents moved in one go. */
const CHUNK = 256

const DDL = (dimensions: number) => `
  ALTER TABLE documents RENAME TO documents_1;
  CREATE TABLE documents (
    document INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    title TEXT,
    text TEXT NOT NULL,
    metadata TEXT NOT NULL,
    passages INTEGER NOT NULL,
    checksum BLOB NOT NULL
  );
  CREATE TABLE passages (
    label INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    "start" INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    vector BLOB NOT NULL CHECK (length(vector) = ${dimensions * 4})
  );
  DROP INDEX metadata_values_by_label;
  ALTER TABLE metadata_values RENAME COLUMN label TO document;
  CREATE INDEX metadata_values_by_document ON metadata_values (document, path);
`

interface OldRow {
  label: number
  id: string
  title: string | null
  text: string
  metadata: string
  vector: Buffer | null
}

/**
 * Format 1 had one vector a document, under the document's own label. Format 2 has passages apart, and checksums.
 * Every document becomes one passage over its whole text; labels stay, so a saved HNSW graph stays good.
 *
 * Rows are deleted as they are copied, so that the file hardly grows.
 */
export function passagesApart(db: Connection, onProgress: (done: number, all: number) => void): void {
  const fact = db.prepare("SELECT value FROM store WHERE key = 'dimensions'").pluck()
  const all = db.prepare('SELECT count(*) FROM documents').pluck().get() as number
  onProgress(0, all)
  db.exec(DDL(Number(fact.get())))
  const oldest = db.prepare(`
    SELECT label, id, title, text, metadata, vector
    FROM documents_1 LEFT JOIN vectors USING (label) ORDER BY label LIMIT ${CHUNK}`)
  const deleteDocuments = db.prepare('DELETE FROM documents_1 WHERE label <= ?')
  const deleteVector = db.prepare('DELETE FROM vectors WHERE label = ?')
  const insertDocument = db.prepare('INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)')
  const insertPassage = db.prepare('INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)')
  let done = 0
  for (let rows = oldest.all() as OldRow[]; rows.length > 0; rows = oldest.all() as OldRow[]) {
    for (const { label, id, title, text, metadata, vector } of rows) {
      const document = { document: label, id, title, text, metadata, passages: 1 }
      insertDocument.run(label, id, title, text, metadata, 1, documentChecksum(document))
      // A document without a vector is damage: the start finds it and says so.
      if (!vector) continue
      deleteVector.run(label)
      const passage = { label, document: label, ordinal: 0, start: 0, end: text.length, vector }
      insertPassage.run(label, label, 0, 0, text.length, passageChecksum(passage), vector)
    }
    const last = rows.at(-1)!.label
    deleteDocuments.run(last)
    done += rows.length
    onProgress(done, all)
  }
  // A vector without a document is damage too. And labels are never used twice, not even those of deleted documents.
  db.exec(`
    INSERT INTO passages SELECT label, label, 0, 0, 0, zeroblob(8), vector FROM vectors;
    INSERT INTO sqlite_sequence (name, seq)
      SELECT 'passages', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'passages');
    UPDATE sqlite_sequence SET seq = max(seq,
      coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'documents_1'), 0)) WHERE name = 'passages';
    DROP TABLE documents_1;
    DROP TABLE vectors;
  `)
}
