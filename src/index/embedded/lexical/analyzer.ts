import type { Analysis } from '../../collection-settings.ts'
import { type Connection, connectInMemory } from '../database/connection.ts'
import { indexedText, TOKENIZERS } from './words-table.ts'

/** What a query looks for. */
export interface QueryTerm {
  /** As the index has it. */
  term: string
  /** As a query of FTS5 has it: before its ending is taken off. */
  word: string
  /** Whether it stands for all terms that begin so. */
  prefix: boolean
  /** How often it stands in the query. */
  count: number
}

const TRIGRAM = 3

/** Cuts texts into the same terms as the index does: by the same tokenizer, in tables of its own in memory. */
export class Analyzer {
  readonly #analysis: Analysis
  readonly #terms: Tokenizer
  /** Words without case and accents, with their endings. */
  readonly #words: Tokenizer

  constructor(analysis: Analysis) {
    this.#analysis = analysis
    this.#terms = new Tokenizer(TOKENIZERS[analysis])
    this.#words = analysis === 'english' ? new Tokenizer(TOKENIZERS.plain) : this.#terms
  }

  /**
   * The distinct terms of a query, in the order of the text, at most so many. Any text is a query: nothing in it is an
   * operator. A text without a letter or a digit has no terms.
   */
  queryTerms(text: string, max: number): QueryTerm[] {
    const found = new Map<string, QueryTerm>()
    const pieces = this.#analysis === 'trigram' ? text.split(/\s+/u) : [text]
    for (const piece of pieces.flatMap((part) => this.#cut(part))) {
      const known = found.get(piece.word)
      if (known) known.count++
      else if (found.size < max) found.set(piece.word, { ...piece, count: 1 })
    }
    return [...found.values()]
  }

  #cut(text: string): Omit<QueryTerm, 'count'>[] {
    const short = this.#analysis === 'trigram' && [...text].length < TRIGRAM
    if (short) return this.#beginning(text)
    const words = this.#words.tokens(text)
    const terms = this.#words === this.#terms ? words : this.#terms.tokens(text)
    return terms.map((term, i) => ({ term, word: words[i] ?? term, prefix: false }))
  }

  /** How the trigrams begin that a shorter text stands at the start of. */
  #beginning(text: string): Omit<QueryTerm, 'count'>[] {
    const [first = ''] = this.#terms.tokens(indexedText(text, this.#analysis) ?? '')
    const beginning = [...first].slice(0, [...text].length).join('')
    if (beginning === '' || beginning.includes('\n')) return []
    return [{ term: beginning, word: beginning, prefix: true }]
  }
}

/** One of SQLite's tokenizers by itself. */
class Tokenizer {
  readonly #insert
  readonly #clear
  readonly #tokens

  constructor(tokenizer: string) {
    const db: Connection = connectInMemory()
    db.exec(`
      CREATE VIRTUAL TABLE texts USING fts5(text, content='', tokenize='${tokenizer}');
      CREATE VIRTUAL TABLE places USING fts5vocab(texts, instance);
    `)
    this.#insert = db.prepare('INSERT INTO texts (rowid, text) VALUES (1, ?)')
    this.#clear = db.prepare("INSERT INTO texts (texts) VALUES ('delete-all')")
    this.#tokens = db.prepare('SELECT term FROM places ORDER BY offset').pluck()
  }

  /** In the order of the text. */
  tokens(text: string): string[] {
    this.#insert.run(text)
    try {
      return this.#tokens.all() as string[]
    } finally {
      this.#clear.run()
    }
  }
}

const analyzers = new Map<Analysis, Analyzer>()

/** One for all collections of the thread. */
export function analyzerFor(analysis: Analysis): Analyzer {
  const known = analyzers.get(analysis)
  if (known) return known
  const analyzer = new Analyzer(analysis)
  analyzers.set(analysis, analyzer)
  return analyzer
}
