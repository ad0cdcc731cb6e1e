import { readable } from '../database/connection.ts'
import type { LiveConnection } from '../database/live-connection.ts'
import { inWords } from './words-damage.ts'

/** Rows read in one go. */
const CHUNK = 4096

/** How many terms each document of the index of words has, in memory: every score needs it. */
export class DocumentLengths {
  readonly #db: LiveConnection
  readonly #size
  readonly #lengths = new Map<number, number>()
  #sum = 0

  constructor(db: LiveConnection) {
    this.#db = db
    this.#size = db.keep('SELECT sz FROM words_docsize WHERE id = ?', 'values')
  }

  get documents(): number {
    return this.#lengths.size
  }

  get mean(): number {
    return this.#sum / this.#lengths.size
  }

  /** Undefined where the index has no such document. */
  of(document: number): number | undefined {
    return this.#lengths.get(document)
  }

  /** All there are. @throws WordsDamaged */
  load(): void {
    this.#lengths.clear()
    this.#sum = 0
    inWords(() => this.#load())
  }

  #load(): void {
    // Whether it can be read at all.
    this.#db.prepare("SELECT 1 FROM word_places WHERE term = ''").get()
    const rows = this.#db.prepare(
      'SELECT id, sz FROM words_docsize WHERE id > ? ORDER BY id LIMIT ?',
      'lists',
    )
    for (let last = 0; ; ) {
      const chunk = rows.all(last, CHUNK) as [number, Buffer][]
      for (const [document, sizes] of chunk) this.#set(document, lengthOf(sizes))
      const end = chunk.at(-1)
      if (!end) return
      last = end[0]
    }
  }

  /** Reads those of documents that have been committed. One that cannot be read counts as of no length. */
  add(documents: readonly number[]): void {
    for (const document of documents) {
      const sizes = readable(() => this.#size().get(document) as Buffer | undefined)
      if (sizes) this.#set(document, lengthOf(sizes))
    }
  }

  remove(document: number): void {
    this.#sum -= this.#lengths.get(document) ?? 0
    this.#lengths.delete(document)
  }

  #set(document: number, length: number): void {
    this.remove(document)
    this.#lengths.set(document, length)
    this.#sum += length
  }
}

/** FTS5 keeps the length of each column as a varint, seven bits a byte. https://www.sqlite.org/fts5.html#docsize_table */
function lengthOf(sizes: Buffer): number {
  let sum = 0
  let length = 0
  for (const byte of sizes) {
    length = length * 128 + (byte & 0x7f)
    if (byte >= 0x80) continue
    sum += length
    length = 0
  }
  return sum
}
