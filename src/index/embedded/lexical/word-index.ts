import type { Analysis } from '../../collection-settings.ts'
import type { LiveConnection } from '../database/live-connection.ts'
import type { SearchReply, WordSearchCall } from '../wire.ts'
import { analyzerFor } from './analyzer.ts'
import { DocumentLengths } from './document-lengths.ts'
import { TermReader } from './term-documents.ts'
import { WordSearcher, type WordSearcherParts } from './word-searcher.ts'

export interface WordIndexParts extends Omit<WordSearcherParts, 'analyzer' | 'lengths' | 'terms'> {
  /** Sees what is committed. */
  reader: LiveConnection
  analysis: Analysis
}

/** The index of words of a collection, beside its table: what of it is in memory, and searches by it. */
export class WordIndex {
  readonly #lengths: DocumentLengths
  readonly #searcher: WordSearcher

  constructor({ reader, analysis, ...parts }: WordIndexParts) {
    this.#lengths = new DocumentLengths(reader)
    const terms = new TermReader(reader)
    const analyzer = analyzerFor(analysis)
    this.#searcher = new WordSearcher({ ...parts, analyzer, lengths: this.#lengths, terms })
    this.load()
  }

  /** Brings memory in step with the table. */
  load(): void {
    this.#lengths.load()
  }

  /** What has been committed. */
  apply(removed: readonly number[], added: readonly number[]): void {
    for (const document of removed) this.#lengths.remove(document)
    this.#lengths.add(added)
  }

  search(call: WordSearchCall, signal: AbortSignal): Promise<SearchReply[]> {
    return this.#searcher.search(call, signal)
  }
}
