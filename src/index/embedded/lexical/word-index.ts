import type { Span } from '../../document.ts'
import type { LiveConnection } from '../database/live-connection.ts'
import type { HighlightCall, SearchReply, WordSearchCall } from '../wire.ts'
import { analyzerFor } from './analyzer.ts'
import { DocumentLengths } from './document-lengths.ts'
import { TermReader } from './term-documents.ts'
import { WordMender, type WordMenderParts } from './word-mender.ts'
import { WordSearcher, type WordSearcherParts } from './word-searcher.ts'
import { isWordsDamage } from './words-damage.ts'

export interface WordIndexParts
  extends Omit<WordSearcherParts, 'analyzer' | 'lengths' | 'terms'>,
    Omit<WordMenderParts, 'reload'> {
  /** Sees what is committed. */
  reader: LiveConnection
  /** Whether SQLite has found the index damaged. */
  damaged: boolean
}

/**
 * The index of words of a collection: what of it is in memory, searches by it, and its repair. No trouble of its own
 * keeps a collection from opening, or from finding documents by their vectors.
 */
export class WordIndex {
  readonly #parts: WordIndexParts
  readonly #lengths: DocumentLengths
  readonly #searcher: WordSearcher
  readonly #mender: WordMender

  constructor(parts: WordIndexParts) {
    const { reader, analysis, damaged } = parts
    this.#parts = parts
    this.#lengths = new DocumentLengths(reader)
    const terms = new TermReader(reader, parts.table)
    const analyzer = analyzerFor(analysis)
    this.#searcher = new WordSearcher({ ...parts, analyzer, lengths: this.#lengths, terms })
    this.#mender = new WordMender({ ...parts, reload: () => this.load() })
    if (damaged) this.#mender.suspect('it is damaged')
    else this.load()
  }

  /** Brings memory in step with the table, and has it made anew where it does not have the documents. */
  load(): void {
    try {
      this.#lengths.load()
      if (this.#complete()) return
      this.#mender.suspect('it does not have the documents that are stored')
    } catch (error) {
      if (!isWordsDamage(error)) throw error
      this.#mender.suspect('it cannot be read')
    }
  }

  /** What has been committed. */
  apply(removed: readonly number[], added: readonly number[]): void {
    for (const document of removed) this.#lengths.remove(document)
    this.#lengths.add(added)
  }

  search(call: WordSearchCall, signal: AbortSignal): Promise<SearchReply[]> {
    return this.#searcher.search(call, signal)
  }

  highlight({ terms, texts }: HighlightCall, signal: AbortSignal): Promise<Span[][]> {
    return this.#searcher.highlight(terms, texts, signal)
  }

  /** Does something that failed for the index's sake again, once the index is made anew. */
  async mended<T>(work: () => Promise<T>): Promise<T> {
    await this.#mender.mend('it cannot be read or written')
    return work()
  }

  suspect(problem: string): void {
    this.#mender.suspect(problem)
  }

  stop(): Promise<void> {
    return this.#mender.stop()
  }

  /** Documents that it has and nobody else are of no harm. */
  #complete(): boolean {
    return this.#parts.table.documentKeys().every((document) => this.#lengths.of(document) !== undefined)
  }
}
