import type { Span } from '../../document.ts'
import { type Connection, connectInMemory } from '../database/connection.ts'

/** Any two characters that a text does not have can mark places in it; these have no meaning of their own. */
const MARKS_FROM = 0xe000
const MARKS_TO = 0xf8ff

/** Finds where words stand in texts, by one of SQLite's tokenizers. */
export class Highlighter {
  readonly #insert
  readonly #marked
  readonly #clear

  constructor(tokenizer: string) {
    const db: Connection = connectInMemory()
    db.exec(`CREATE VIRTUAL TABLE texts USING fts5(text, tokenize='${tokenizer}')`)
    this.#insert = db.prepare('INSERT INTO texts (rowid, text) VALUES (1, ?)')
    this.#marked = db.prepare('SELECT highlight(texts, 0, ?, ?) FROM texts WHERE texts MATCH ?').pluck()
    this.#clear = db.prepare('DELETE FROM texts')
  }

  /** In UTF-16 code units, in order, none within another. @param words as the tokenizer gives them */
  spans(text: string, words: readonly string[]): Span[] {
    const [open, close] = freeMarks(text)
    if (words.length === 0 || close === undefined) return []
    // SQLite's text would end at a NUL.
    this.#insert.run(text.replaceAll('\0', ' '))
    try {
      const query = words.map((word) => `"${word.replaceAll('"', '""')}"`).join(' OR ')
      const marked = this.#marked.get(open, close, query) as string | undefined
      return marked === undefined ? [] : spansBetween(marked, open!, close)
    } finally {
      this.#clear.run()
    }
  }
}

/** Two characters that the text does not have; fewer where it has nearly all there are. */
function freeMarks(text: string): string[] {
  const free: string[] = []
  for (let code = MARKS_FROM; code <= MARKS_TO && free.length < 2; code++) {
    const mark = String.fromCharCode(code)
    if (!text.includes(mark)) free.push(mark)
  }
  return free
}

function spansBetween(marked: string, open: string, close: string): Span[] {
  const spans: Span[] = []
  // Each span before has put two marks into the text.
  for (let at = marked.indexOf(open); at >= 0; at = marked.indexOf(open, at + 1)) {
    const start = at - 2 * spans.length
    spans.push({ start, end: marked.indexOf(close, at) - 2 * spans.length - 1 })
  }
  return spans
}
