import { type Connection, readable } from '../connection.ts'

/** Documents read in one go. */
const CHUNK = 256

const TOKENIZERS: Readonly<Record<string, string>> = {
  english: 'porter unicode61 remove_diacritics 2',
  plain: 'unicode61 remove_diacritics 2',
  trigram: 'trigram remove_diacritics 1',
}

const DDL = (analysis: string) => `
  CREATE VIRTUAL TABLE words USING fts5(
    title, text, content='', contentless_delete=1, tokenize='${TOKENIZERS[analysis] ?? TOKENIZERS['english']}'
  );
  CREATE VIRTUAL TABLE word_places USING fts5vocab(words, instance);
`

interface OldRow {
  document: number
  title: string | null
  text: string
}

/** Format 2 found documents by their vectors only. Format 3 has an index of words, made here of what is stored. */
export function indexOfWords(db: Connection, onProgress: (done: number, all: number) => void): void {
  // Settings that are damaged end the start, after this.
  const setting = "SELECT value ->> 'analysis' FROM store WHERE key = 'settings' AND json_valid(value)"
  const analysis = String(db.prepare(setting).pluck().get() ?? 'english')
  const all = db.prepare('SELECT count(*) FROM documents').pluck().get() as number
  const end = analysis === 'trigram' ? '\n\n' : ''
  onProgress(0, all)
  db.exec(DDL(analysis))
  const keys = db
    .prepare(`SELECT document FROM documents WHERE document > ? ORDER BY document LIMIT ${CHUNK}`)
    .pluck()
  const textsOf = db.prepare('SELECT document, title, text FROM documents WHERE document = ?')
  const insert = db.prepare('INSERT INTO words (rowid, title, text) VALUES (?, ? || ?, ? || ?)')
  let done = 0
  for (let last = 0; ; ) {
    const chunk = keys.all(last) as number[]
    if (chunk.length === 0) return
    for (const key of chunk) {
      // What cannot be read is found by the start, and is in no answer.
      const row = readable(() => textsOf.get(key) as OldRow | undefined)
      if (row) insert.run(row.document, row.title, end, row.text, end)
    }
    last = chunk.at(-1)!
    done += chunk.length
    onProgress(done, all)
  }
}
