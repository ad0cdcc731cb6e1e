import type { Analysis } from '../../collection-settings.ts'
import type { Span } from '../../document.ts'
import { type Connection, connectInMemory } from '../database/connection.ts'
import { Highlighter } from './highlighter.ts'
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

  readonly #highlighter: Highlighter

  constructor(analysis: Analysis) {
    this.#analysis = analysis
    this.#highlighter = new Highlighter(TOKENIZERS[analysis === 'english' ? 'plain' : analysis])
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

  /** How often each term stands in each text: [terms][texts]. */
  counts(texts: readonly string[], terms: readonly QueryTerm[]): number[][] {
    return this.#terms.counts(texts, terms)
  }

  /**
   * Where a query's words stand in a text, in whatever form: in UTF-16 code units, in order, without overlaps. What is
   * shorter than a trigram is looked for as it is written.
   */
  highlight(text: string, query: readonly QueryTerm[]): Span[] {
    const whole = new Set(query.filter(({ prefix }) => !prefix).map(({ term }) => term))
    const words = this.#words.tokens(text)
    const terms = this.#words === this.#terms ? words : this.#terms.tokens(text)
    const standing = new Set(words.filter((_, i) => whole.has(terms[i] ?? '')))
    const short = query.filter(({ prefix }) => prefix).flatMap(({ term }) => written(text, term))
    return joined([...this.#highlighter.spans(text, [...standing]), ...short])
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

/** Where some characters stand, in either case. */
function written(text: string, characters: string): Span[] {
  const pattern = new RegExp(characters.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), 'giu')
  return Array.from(text.matchAll(pattern), ({ index, 0: { length } }) => ({
    start: index,
    end: index + length,
  }))
}

/** In order, those that meet or overlap as one. */
function joined(spans: Span[]): Span[] {
  const result: Span[] = []
  for (const span of spans.sort((a, b) => a.start - b.start || a.end - b.end)) {
    const last = result.at(-1)
    if (last && span.start <= last.end) last.end = Math.max(last.end, span.end)
    else result.push({ ...span })
  }
  return result
}

/** One of SQLite's tokenizers by itself. */
class Tokenizer {
  readonly #db: Connection
  readonly #insert
  readonly #clear

  constructor(tokenizer: string) {
    this.#db = connectInMemory()
    this.#db.exec(`
      CREATE VIRTUAL TABLE texts USING fts5(text, content='', tokenize='${tokenizer}');
      CREATE VIRTUAL TABLE places USING fts5vocab(texts, instance);
    `)
    this.#insert = this.#db.prepare('INSERT INTO texts (rowid, text) VALUES (?, ?)')
    this.#clear = this.#db.prepare("INSERT INTO texts (texts) VALUES ('delete-all')")
  }

  /** In the order of the text. */
  tokens(text: string): string[] {
    const tokens = this.#db.prepare('SELECT term FROM places ORDER BY offset').pluck()
    return this.#with([text], () => tokens.all() as string[])
  }

  counts(texts: readonly string[], terms: readonly QueryTerm[]): number[][] {
    const from = 'SELECT doc, count(*) FROM places WHERE'
    const whole = this.#db.prepare(`${from} term = ? GROUP BY doc`).raw()
    const begun = this.#db.prepare(`${from} term >= ? AND term < ? GROUP BY doc`).raw()
    return this.#with(texts, () =>
      terms.map(({ term, prefix }) => {
        const rows = prefix ? begun.all(term, `${term}\u{10ffff}`) : whole.all(term)
        const counts = texts.map(() => 0)
        for (const [text, count] of rows as [number, number][]) counts[text - 1] = count
        return counts
      }),
    )
  }

  #with<T>(texts: readonly string[], work: () => T): T {
    try {
      for (const [i, text] of texts.entries()) this.#insert.run(i + 1, text)
      return work()
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
