import { compareHits } from '../order.ts'
import { similarity } from '../similarity.ts'
import type { Slice, Turns } from './cooperative-scheduler.ts'
import type { RowReader } from './database/rows.ts'
import type { Bitset } from './filter/bitset.ts'
import { conditionCount } from './filter/conditions.ts'
import type { FilterIndex } from './filter/filter-index.ts'
import type { LiveGraph } from './hnsw/live-graph.ts'
import type { EmbeddedStoreLimits } from './limits.ts'
import { TopHits } from './vectors/top-hits.ts'
import type { VectorTable } from './vectors/vector-table.ts'
import type { FoundHit, SearchCall, SearchReply } from './wire.ts'

/** Scoring so many vectors one by one costs about as much as one more candidate of a walk (measured at 384 numbers). */
const SCORES_PER_CANDIDATE = 8
/** Candidates fetched from the graph per hit that the filter is expected to leave. */
const OVERFETCH = 1.5
/** Vectors scored between two looks at the clock. */
const SCORES_PER_LOOK = 512
/** Times scoring begins again because documents were replaced under it. */
const RETRIES_MAX = 2
/** Hits beyond k that stand in for those replaced during the last attempt. */
const SPARE_HITS = 64
/** Candidates of one walk that are tested against a filter, and conditions of such a filter: about 20 ms at most. */
const PROBED_MAX = 1_000
const PROBED_CONDITIONS_MAX = 8
/** Vectors not yet in the graph that a walk scores besides: about 10 ms. */
const UNLINKED_MAX = 20_000

export interface SearcherParts {
  table: VectorTable
  graph: LiveGraph
  filters: FilterIndex
  rows: RowReader
  turns: Turns
  limits: EmbeddedStoreLimits
}

/** Finds k nearest documents: by the graph where that is cheaper, by scoring all that match where it is not. */
export class Searcher {
  readonly #parts: SearcherParts

  constructor(parts: SearcherParts) {
    this.#parts = parts
  }

  async search(call: SearchCall): Promise<SearchReply[]> {
    const { dimensions } = this.#parts.table
    const slice = this.#parts.turns.slice('interactive')
    await slice.yield()
    const replies: (SearchReply | undefined)[] = []
    const left: Float32Array[] = []
    const walk = call.exact ? undefined : await this.#walker(call, slice)
    for (let i = 0; i < call.vectors.length; i += dimensions) {
      const query = call.vectors.subarray(i, i + dimensions)
      const top = await walk?.(query)
      const hits = top && this.#resolve(top, call)
      replies.push(hits && { hits, path: 'hnsw' })
      if (!hits) left.push(query)
      await slice.pause()
    }
    const scored = left.length > 0 ? await this.#score(left, call, slice) : []
    return replies.map((reply) => reply ?? { hits: scored.shift() as FoundHit[], path: 'exact' })
  }

  /** How to search by the graph; undefined where scoring what matches is cheaper. */
  async #walker(call: SearchCall, slice: Slice) {
    const { graph, filters, limits } = this.#parts
    const { filter } = call
    const unlinkedMax = filter ? PROBED_MAX : UNLINKED_MAX
    if (graph.pending.size > Math.min(graph.linked, unlinkedMax)) return undefined
    if (!filter) return async (query: Float32Array) => this.#walk(query, call, call.k, () => () => true)
    const max = limits.exactScoringMax
    const few = filters.atMost(filter, max) <= max || conditionCount(filter) > PROBED_CONDITIONS_MAX
    await slice.pause()
    if (few) return undefined
    return async (query: Float32Array) => {
      // Most match, or few do: a first look tells how many candidates it takes.
      for (let fetch = call.k * 2; ; ) {
        let share = 0
        const top = await this.#walk(query, call, fetch, async (labels) => {
          const match = await filters.among(filter, labels)
          share = labels.filter(match).length / labels.length
          return match
        })
        const wanted = Math.ceil((call.k * OVERFETCH) / share)
        if (top || !(share > 0) || wanted <= fetch || wanted > PROBED_MAX) return top
        fetch = wanted
        await slice.pause()
      }
    }
  }

  /** The best of `fetch` candidates that match; undefined when fewer than k do, or scoring all is cheaper. */
  async #walk(
    query: Float32Array,
    call: SearchCall,
    fetch: number,
    matcher: (labels: number[]) => ((label: number) => boolean) | Promise<(label: number) => boolean>,
  ): Promise<TopHits | undefined> {
    const { table, graph, limits } = this.#parts
    const ef = call.ef ?? limits.efSearch
    const breadth = Math.max(fetch, ef)
    if (breadth * SCORES_PER_CANDIDATE >= table.size) return undefined
    const labels = [...graph.current.search(query, breadth, ef).labels, ...graph.pending]
    const match = await matcher(labels)
    const top = new TopHits(call.k, call.minScore ?? -1)
    let reached = 0
    for (const label of labels) {
      const slot = table.slot(label)
      if (slot === undefined || !match(label)) continue
      reached++
      top.offer(label, similarity(query, table.block(slot), table.offset(slot)))
    }
    return reached < call.k ? undefined : top
  }

  /** Scores all that match; again when documents were replaced meanwhile, and at last without those. */
  async #score(queries: Float32Array[], call: SearchCall, slice: Slice): Promise<FoundHit[][]> {
    const { table, filters } = this.#parts
    for (let attempt = 0; ; attempt++) {
      const matching = call.filter && (await filters.matching(call.filter, slice))
      const { version } = table
      const patient = attempt < RETRIES_MAX
      const tops = await this.#scoreAll(
        queries,
        patient ? call : { ...call, k: call.k + SPARE_HITS },
        matching,
        slice,
      )
      if (patient && matching && table.version !== version) continue
      const hits = tops.map((top) => this.#resolve(top, call, !patient))
      if (hits.every((list) => list !== undefined)) return hits
    }
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
    const { newest } = table
    const slots = matching?.members()
    const end = slots ? slots.length : table.end
    for (let i = 0; i < end; i++) {
      const slot = slots ? (slots[i] as number) : i
      const label = table.label(slot)
      // A slot that matched may have been given to a later document.
      if (label === 0 || (matching && label > newest)) continue
      const block = table.block(slot)
      const offset = table.offset(slot)
      for (let q = 0; q < queries.length; q++) {
        tops[q]!.offer(label, similarity(queries[q]!, block, offset))
      }
      if (i % SCORES_PER_LOOK === 0) await slice?.pause()
    }
    return tops
  }

  /** With ids, in order, cut to k; undefined when one of them is gone, unless those may be left out. */
  #resolve(top: TopHits, call: SearchCall, leaveOut = false): FoundHit[] | undefined {
    const { rows } = this.#parts
    const named: { id: string; score: number; label: number }[] = []
    for (const { label, score } of top.best()) {
      const id = rows.idOf(label)
      if (id !== undefined) named.push({ id, score, label })
      else if (!leaveOut) return undefined
    }
    return named
      .sort(compareHits)
      .slice(0, call.k)
      .map(({ id, score, label }) => {
        if (call.documents === false) return { id, score }
        const { text, title, metadata } = rows.byLabel(label)!
        return { id, score, document: { id, text, title, metadata } }
      })
  }
}
