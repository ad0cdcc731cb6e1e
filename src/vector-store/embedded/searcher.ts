import { ServiceError } from '../../errors.ts'
import { compareHits } from '../order.ts'
import { similarity } from '../similarity.ts'
import type { SearchPath } from '../vector-store.ts'
import type { Bitset } from './bitset.ts'
import type { FilterIndex } from './filter-index.ts'
import type { LiveGraph } from './live-graph.ts'
import type { EmbeddedStoreLimits } from './options.ts'
import type { RowReader } from './rows.ts'
import { type Candidate, TopHits } from './top-hits.ts'
import type { Slice, Turns } from './turns.ts'
import type { VectorTable } from './vector-table.ts'
import type { FoundHit, SearchCall, SearchReply } from './wire.ts'

/** Scoring so many vectors one by one costs about as much as one more candidate of a walk (measured at 384 numbers). */
const SCORES_PER_CANDIDATE = 8
/** Candidates fetched from the graph per hit that the filter is expected to leave. */
const OVERFETCH = 1.5
/** Vectors scored between two looks at the clock. */
const SCORES_PER_LOOK = 512
/** Times a search begins again because documents were replaced under it, before it runs in one go. */
const RETRIES_MAX = 2

export interface SearcherParts {
  table: VectorTable
  graph: LiveGraph
  filters: FilterIndex
  rows: RowReader
  turns: Turns
  limits: EmbeddedStoreLimits
}

type Found = { candidates: Candidate[]; path: SearchPath }

/** Finds k nearest documents: by the graph where that is cheaper, by scoring all that match where it is not. */
export class Searcher {
  readonly #parts: SearcherParts

  constructor(parts: SearcherParts) {
    this.#parts = parts
  }

  async search(call: SearchCall): Promise<SearchReply[]> {
    const slice = this.#parts.turns.slice('interactive')
    await slice.yield()
    for (let attempt = 0; ; attempt++) {
      const replies = await this.#attempt(call, attempt < RETRIES_MAX ? slice : undefined)
      if (replies) return replies
      if (attempt > RETRIES_MAX) {
        throw new ServiceError(
          'STORE_UNUSABLE',
          'The database has lost documents that it held; restore it from a backup.',
        )
      }
    }
  }

  /** @returns undefined when a candidate was removed or replaced meanwhile */
  async #attempt(call: SearchCall, slice: Slice | undefined): Promise<SearchReply[] | undefined> {
    const { table, filters } = this.#parts
    const { dimensions } = table
    const version = table.version
    const queries = Array.from({ length: call.vectors.length / dimensions }, (_, i) =>
      call.vectors.subarray(i * dimensions, (i + 1) * dimensions),
    )
    const matching = call.filter && (await filters.matching(call.filter, slice))
    const matches = matching ? matching.count() : table.size
    const found: (Found | undefined)[] = []
    for (const query of queries) {
      found.push(this.#walk(query, call, matching, matches))
      await slice?.pause()
    }
    const left = queries.filter((_, i) => found[i] === undefined)
    const scored = await this.#scoreAll(left, call, matching, slice)
    const replies: SearchReply[] = []
    for (const one of found) {
      const { candidates, path } = one ?? { candidates: scored.shift()!.best(), path: 'exact' as const }
      const hits = await this.#resolve(candidates, call, slice)
      if (!hits || (hits.length < Math.min(call.k, matches) && table.version !== version && slice))
        return undefined
      replies.push({ hits, path })
      await slice?.pause()
    }
    return replies
  }

  /** By the graph; undefined where scoring is cheaper, or where the walk ended with too few. */
  #walk(
    query: Float32Array,
    call: SearchCall,
    matching: Bitset | undefined,
    matches: number,
  ): Found | undefined {
    const { table, graph, limits } = this.#parts
    const ef = call.ef ?? limits.efSearch
    const wanted = matching ? Math.ceil((call.k * table.size * OVERFETCH) / matches) : call.k
    const fetch = Math.max(wanted, ef)
    const few = matching !== undefined && matches <= limits.exactScoringMax
    const unlinked = graph.pending.size > graph.linked
    if (call.exact || few || unlinked || fetch * SCORES_PER_CANDIDATE >= matches) return undefined
    const top = new TopHits(call.k, Number.NEGATIVE_INFINITY)
    let reached = 0
    const offer = (label: number) => {
      const slot = table.slot(label)
      if (slot === undefined || (matching && !matching.has(slot))) return
      reached++
      top.offer(label, similarity(query, table.block(slot), table.offset(slot)))
    }
    for (const label of graph.current.search(query, fetch, ef).labels) offer(label)
    for (const label of graph.pending) offer(label)
    if (reached < Math.min(call.k, matches)) return undefined
    const candidates = top.best().filter(({ score }) => score >= (call.minScore ?? -1))
    return { candidates, path: 'hnsw' }
  }

  /** Scores every matching vector for all queries at once. */
  async #scoreAll(
    queries: Float32Array[],
    call: SearchCall,
    matching: Bitset | undefined,
    slice: Slice | undefined,
  ): Promise<TopHits[]> {
    const { table } = this.#parts
    const tops = queries.map(() => new TopHits(call.k, call.minScore ?? -1))
    if (queries.length === 0) return tops
    const slots = matching?.members()
    const end = slots ? slots.length : table.end
    for (let i = 0; i < end; i++) {
      const slot = slots ? (slots[i] as number) : i
      const label = table.label(slot)
      if (label === 0) continue
      const block = table.block(slot)
      const offset = table.offset(slot)
      for (let q = 0; q < queries.length; q++) {
        tops[q]!.offer(label, similarity(queries[q]!, block, offset))
      }
      if (i % SCORES_PER_LOOK === 0) await slice?.pause()
    }
    return tops
  }

  /** With ids, in order, cut to k; undefined when one of them is gone. */
  async #resolve(
    candidates: Candidate[],
    call: SearchCall,
    slice: Slice | undefined,
  ): Promise<FoundHit[] | undefined> {
    const { rows } = this.#parts
    const named: { id: string; score: number; label: number }[] = []
    for (const { label, score } of candidates) {
      const id = rows.idOf(label)
      if (id === undefined) return undefined
      named.push({ id, score, label })
      await slice?.pause()
    }
    const hits: FoundHit[] = []
    for (const { id, score, label } of named.sort(compareHits).slice(0, call.k)) {
      const row = call.documents === false ? undefined : rows.byLabel(label)
      if (call.documents === false) hits.push({ id, score })
      else if (row) {
        const { text, title, metadata } = row
        hits.push({ id, score, document: { id, text, title, metadata } })
      } else return undefined
    }
    return hits
  }
}
