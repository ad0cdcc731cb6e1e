import type { Span } from '../../document.ts'
import type { CooperativeScheduler, TimeSlice } from '../cooperative-scheduler.ts'
import type { RowReader } from '../database/checked-rows.ts'
import type { FilterIndex } from '../filter/filter-index.ts'
import type { StoredDocuments } from '../integrity/stored-documents.ts'
import type { IndexLimits } from '../limits.ts'
import { ReadBudget } from '../operations/read-budget.ts'
import { resolveHits } from '../operations/resolve-hits.ts'
import { type Candidate, TopHits } from '../vectors/top-hits.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import type { FoundHit, SearchReply, WordSearchCall } from '../wire.ts'
import type { Analyzer, QueryTerm } from './analyzer.ts'
import { bestPassage, type WeightedTerm } from './best-passage.ts'
import type { DocumentLengths } from './document-lengths.ts'
import type { TermReader } from './term-documents.ts'
import { TermScores } from './term-scores.ts'

/** Times a search begins again because its hits were replaced under it. */
const RETRIES_MAX = 2
/** Hits beyond k that stand in for those replaced during the last attempt. */
const SPARE_HITS = 64

/** Characters of a text that are highlighted in one go. */
const PIECE = 16_384

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

  /** Where a query's words stand in texts, piece by piece. @throws ServiceError ABORTED */
  async highlight(query: string, texts: readonly string[], signal: AbortSignal): Promise<Span[][]> {
    const { scheduler, analyzer, limits } = this.#parts
    const slice = scheduler.slice('interactive', signal)
    await slice.yield()
    const terms = analyzer.queryTerms(query, limits.lexicalTermsMax)
    const found: Span[][] = []
    for (const text of texts) {
      const spans: Span[] = []
      for (const { start, end } of terms.length > 0 ? piecesOf(text) : []) {
        for (const span of analyzer.highlight(text.slice(start, end), terms)) {
          spans.push({ start: start + span.start, end: start + span.end })
        }
        await slice.pause()
      }
      found.push(spans)
    }
    return found
  }

  /** Again where a hit was replaced or turned out to be damaged; at last without those. */
  async #one(text: string, call: WordSearchCall, budget: ReadBudget, slice: TimeSlice): Promise<SearchReply> {
    const { analyzer, limits } = this.#parts
    const query = analyzer.queryTerms(text, limits.lexicalTermsMax)
    for (let attempt = 0; ; attempt++) {
      const leaveOut = attempt === RETRIES_MAX
      const k = leaveOut ? call.k + SPARE_HITS : call.k
      const { top, path, terms } = await this.#score(query, { ...call, k }, slice)
      const keys: number[] = []
      const hits = await budget.attempt(() => this.#resolve(top, call, { budget, slice, leaveOut, keys }))
      if (hits) return { hits: await this.#showPassages(hits, keys, terms, slice), path }
      await slice.pause()
    }
  }

  async #score(query: QueryTerm[], call: WordSearchCall, slice: TimeSlice) {
    const { table, filters, lengths, terms } = this.#parts
    const matching = call.filter && (await filters.matching(call.filter, slice))
    // A slot that matched may be given to a later document; and a later document was in none of what was read before.
    const { newest } = table
    const among = (document: number) => {
      const slot = document > newest ? undefined : table.slot(document)
      return slot !== undefined && (!matching || matching.has(slot))
    }
    const scores = new TermScores({ lengths, terms, newest, among })
    const path = await scores.add(query, call.k, slice)
    const top = new TopHits(call.k, call.floor ?? 0)
    for (const [document, score] of scores.found) {
      if (table.has(document)) top.offer(document, document, score)
    }
    return { top, path, terms: scores.terms }
  }

  /** @param keys is given the key of each hit's document */
  async #resolve(
    top: TopHits,
    { k, fields, filter }: WordSearchCall,
    {
      budget,
      slice,
      leaveOut,
      keys,
    }: { budget: ReadBudget; slice: TimeSlice; leaveOut: boolean; keys: number[] },
  ): Promise<FoundHit[] | undefined> {
    const { stored, table } = this.#parts
    const { version } = table
    const passageOf = ({ label, document }: Candidate) => {
      const first = stored.passage(label, document)
      if (first) keys.push(document)
      return first
    }
    const options = { k, budget, leaveOut, passageOf, ...(fields && { fields }) }
    const hits = await resolveHits(top, this.#parts, options, slice)
    // The filter may no longer hold for what was found.
    return filter && !leaveOut && table.version !== version ? undefined : hits
  }

  /** The hits by their best passages; by the first where the document was replaced since it was found. */
  async #showPassages(
    hits: FoundHit[],
    keys: number[],
    terms: WeightedTerm[],
    slice: TimeSlice,
  ): Promise<FoundHit[]> {
    const { table, stored, analyzer } = this.#parts
    for (const [i, hit] of hits.entries()) {
      const labels = table.labelsOf(keys[i]!)
      if (labels.length < 2) continue
      const document = stored.byKey(keys[i]!)
      const passages = labels.map((label) => stored.passage(label, keys[i]!))
      if (!document || !passages.every((passage) => passage !== undefined)) continue
      hit.passage = passages[bestPassage(document.text, passages, terms, analyzer)]!
      await slice.pause()
    }
    return hits
  }
}

/** A text in pieces that are cut into words in a few milliseconds, parted at white space where there is any. */
function* piecesOf(text: string): Generator<Span> {
  for (let start = 0; start < text.length; ) {
    let end = Math.min(text.length, start + PIECE)
    if (end < text.length) {
      const space = text.slice(start, end).search(/\s\S*$/u)
      if (space > 0) end = start + space
      else if (/[\ud800-\udbff]/.test(text[end - 1]!)) end--
    }
    yield { start, end }
    start = end
  }
}
