import type { CooperativeScheduler, TimeSlice } from '../cooperative-scheduler.ts'
import type { RowReader } from '../database/checked-rows.ts'
import type { FilterIndex } from '../filter/filter-index.ts'
import type { StoredDocuments } from '../integrity/stored-documents.ts'
import type { IndexLimits } from '../limits.ts'
import { ReadBudget } from '../operations/read-budget.ts'
import { resolveHits } from '../operations/resolve-hits.ts'
import { TopHits } from '../vectors/top-hits.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import type { FoundHit, SearchReply, WordSearchCall } from '../wire.ts'
import type { Analyzer } from './analyzer.ts'
import type { DocumentLengths } from './document-lengths.ts'
import type { TermReader } from './term-documents.ts'
import { type Score, TermScores } from './term-scores.ts'

/** Times a search begins again because its hits were replaced under it. */
const RETRIES_MAX = 2
/** Hits beyond k that stand in for those replaced during the last attempt. */
const SPARE_HITS = 64

export interface WordSearcherParts {
  table: VectorTable
  filters: FilterIndex
  rows: RowReader
  stored: StoredDocuments
  scheduler: CooperativeScheduler
  analyzer: Analyzer
  lengths: DocumentLengths
  terms: TermReader
  limits: Pick<IndexLimits, 'answerBytesMax' | 'lexicalTermsMax'>
}

/** Finds the k documents that the words of a text fit best, by BM25. */
export class WordSearcher {
  readonly #parts: WordSearcherParts

  constructor(parts: WordSearcherParts) {
    this.#parts = parts
  }

  /** @throws ServiceError ABORTED, TOO_LARGE */
  async search(call: WordSearchCall, signal: AbortSignal): Promise<SearchReply[]> {
    const budget = new ReadBudget(this.#parts.limits.answerBytesMax)
    const slice = this.#parts.scheduler.slice('interactive', signal)
    await slice.yield()
    const replies: SearchReply[] = []
    for (const text of call.texts) replies.push(await this.#one(text, call, budget, slice))
    return replies
  }

  /** Again where a hit was replaced or turned out to be damaged; at last without those. */
  async #one(text: string, call: WordSearchCall, budget: ReadBudget, slice: TimeSlice): Promise<SearchReply> {
    for (let attempt = 0; ; attempt++) {
      const leaveOut = attempt === RETRIES_MAX
      const k = leaveOut ? call.k + SPARE_HITS : call.k
      const { top, path } = await this.#score(text, { ...call, k }, slice)
      const hits = budget.attempt(() => this.#resolve(top, call, budget, leaveOut))
      if (hits) return { hits, path }
      await slice.pause()
    }
  }

  async #score(text: string, call: WordSearchCall, slice: TimeSlice) {
    const { table, filters, analyzer, lengths, terms, limits } = this.#parts
    const matching = call.filter && (await filters.matching(call.filter, slice))
    // A slot that matched may be given to a later document; and a later document was in none of what was read before.
    const { newest } = table
    const among = (document: number) => {
      const slot = document > newest ? undefined : table.slot(document)
      return slot !== undefined && (!matching || matching.has(slot))
    }
    const scores = new TermScores({ lengths, terms, newest, among })
    const path = await scores.add(analyzer.queryTerms(text, limits.lexicalTermsMax), call.k, slice)
    const top = new TopHits(call.k, call.floor ?? 0)
    for (const [document, score] of scores.found as Iterable<Score>) {
      if (table.has(document)) top.offer(document, document, score)
    }
    return { top, path }
  }

  #resolve(
    top: TopHits,
    { k, fields }: WordSearchCall,
    budget: ReadBudget,
    leaveOut: boolean,
  ): FoundHit[] | undefined {
    return resolveHits(top, this.#parts, { k, budget, leaveOut, ...(fields && { fields }) })
  }
}
