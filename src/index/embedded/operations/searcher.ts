import { similarity } from '../../similarity.ts'
import type { CooperativeScheduler, TimeSlice } from '../cooperative-scheduler.ts'
import type { RowReader } from '../database/checked-rows.ts'
import type { Bitset } from '../filter/bitset.ts'
import { conditionCount } from '../filter/conditions.ts'
import type { FilterIndex } from '../filter/filter-index.ts'
import type { LiveGraph } from '../hnsw/live-graph.ts'
import type { Damages } from '../integrity/damages.ts'
import type { StoredDocuments } from '../integrity/stored-documents.ts'
import type { IndexLimits } from '../limits.ts'
import { TopHits } from '../vectors/top-hits.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import type { FoundHit, SearchCall, SearchReply } from '../wire.ts'
import { ReadBudget } from './read-budget.ts'
import { resolveHits } from './resolve-hits.ts'

/** Scoring this many vectors costs about as much as one more candidate of a walk (measured at 384 numbers). */
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
  stored: StoredDocuments
  damages: Damages
  scheduler: CooperativeScheduler
  limits: Pick<IndexLimits, 'hnswEf' | 'exactScoringMax' | 'answerBytesMax'>
}

/** Whether a document, by its key, may be an answer. */
type Match = (document: number) => boolean

/** Finds the k best documents: by the graph where that is cheaper, by scoring all that match where it is not. */
export class Searcher {
  readonly #parts: SearcherParts

  constructor(parts: SearcherParts) {
    this.#parts = parts
  }

  /** @throws ServiceError ABORTED, TOO_LARGE */
  async search(call: SearchCall, signal: AbortSignal): Promise<SearchReply[]> {
    const { dimensions } = this.#parts.table
    const budget = new ReadBudget(this.#parts.limits.answerBytesMax)
    const slice = this.#parts.scheduler.slice('interactive', signal)
    await slice.yield()
    const replies: (SearchReply | undefined)[] = []
    const left: Float32Array[] = []
    const walk = call.exact ? undefined : await this.#walker(call, slice)
    for (let i = 0; i < call.vectors.length; i += dimensions) {
      const probe = call.vectors.subarray(i, i + dimensions)
      const hits = walk && (await this.#walkAndResolve(walk, probe, call, budget, slice))
      replies.push(hits && { hits, path: 'hnsw' })
      if (!hits) left.push(probe)
      await slice.pause()
    }
    const scored = left.length > 0 ? await this.#score(left, call, budget, slice) : []
    return replies.map((reply) => reply ?? { hits: scored.shift()!, path: 'exact' })
  }

  /** Again where a hit turned out to be damaged: it is left out then. */
  async #walkAndResolve(
    walk: (probe: Float32Array) => Promise<TopHits | undefined>,
    probe: Float32Array,
    call: SearchCall,
    budget: ReadBudget,
    slice: TimeSlice,
  ): Promise<FoundHit[] | undefined> {
    const { damages } = this.#parts
    for (;;) {
      const { size } = damages
      const top = await walk(probe)
      const hits = top && (await budget.attempt(() => this.#resolve(top, call, budget, slice)))
      if (!top || hits || damages.size === size) return hits
    }
  }

  /** How to search by the graph; undefined where scoring what matches is cheaper. */
  async #walker(call: SearchCall, slice: TimeSlice) {
    const { table, graph, filters, limits } = this.#parts
    const { filter } = call
    const unlinkedMax = filter ? PROBED_MAX : UNLINKED_MAX
    if (graph.pending.size > Math.min(graph.linked, unlinkedMax)) return undefined
    // A document may fill several places of a walk with its passages.
    const wanted = Math.ceil(call.k * (table.size / Math.max(1, table.documents)))
    if (!filter) return async (probe: Float32Array) => this.#walk(probe, call, wanted, () => () => true)
    const max = limits.exactScoringMax
    const few = filters.atMost(filter, max) <= max || conditionCount(filter) > PROBED_CONDITIONS_MAX
    await slice.pause()
    if (few) return undefined
    return async (probe: Float32Array) => {
      // Most match, or few do: a first look shows how many candidates it takes.
      for (let fetch = wanted * 2; ; ) {
        let share = 0
        const top = await this.#walk(probe, call, fetch, async (documents) => {
          const match = await filters.among(filter, documents)
          share = documents.filter(match).length / documents.length
          return match
        })
        const needed = Math.ceil((wanted * OVERFETCH) / share)
        if (top || !(share > 0) || needed <= fetch || needed > PROBED_MAX) return top
        fetch = needed
        await slice.pause()
      }
    }
  }

  /** The best of `fetch` candidates that match; undefined when fewer than k documents do, or scoring all is cheaper. */
  async #walk(
    probe: Float32Array,
    call: SearchCall,
    fetch: number,
    matcher: (documents: number[]) => Match | Promise<Match>,
  ): Promise<TopHits | undefined> {
    const { table, graph, limits } = this.#parts
    const ef = call.ef ?? limits.hnswEf
    const breadth = Math.max(fetch, ef)
    if (breadth * SCORES_PER_CANDIDATE >= table.size) return undefined
    const found: { label: number; slot: number; document: number }[] = []
    for (const label of [...graph.current.search(probe, breadth, ef), ...graph.pending]) {
      const slot = table.slot(label)
      if (slot !== undefined) found.push({ label, slot, document: table.document(slot) })
    }
    const match = await matcher(found.map(({ document }) => document))
    const top = new TopHits(call.k, call.floor ?? -1)
    const reached = new Set<number>()
    for (const { label, slot, document } of found) {
      // Slots may have changed hands while the filter was read.
      if (table.label(slot) !== label || !match(document)) continue
      reached.add(document)
      top.offer(label, document, similarity(probe, table.block(slot), table.offset(slot)))
    }
    return reached.size < call.k ? undefined : top
  }

  /** Scores all that match; again when documents were replaced meanwhile, and at last without those. */
  async #score(
    probes: Float32Array[],
    call: SearchCall,
    budget: ReadBudget,
    slice: TimeSlice,
  ): Promise<FoundHit[][]> {
    const { table, filters, damages } = this.#parts
    for (let attempt = 0; ; ) {
      const { size } = damages
      const matching = call.filter && (await filters.matching(call.filter, slice))
      const { version } = table
      const patient = attempt < RETRIES_MAX
      const k = patient ? call.k : call.k + SPARE_HITS
      const tops = await this.#scoreAll(probes, { ...call, k }, matching, slice)
      if (patient && matching && table.version !== version) {
        attempt++
        continue
      }
      const hits = await budget.attempt(async () => {
        const lists: (FoundHit[] | undefined)[] = []
        for (const top of tops) lists.push(await this.#resolve(top, call, budget, slice, !patient))
        return damages.size === size && lists.every((list) => list !== undefined) ? lists : undefined
      })
      if (hits) return hits
      // A damaged document is found once: looking again without it comes to an end.
      if (damages.size === size) attempt++
    }
  }

  /** Scores every passage of the matching documents for all probes at once. */
  async #scoreAll(
    probes: Float32Array[],
    call: SearchCall,
    matching: Bitset | undefined,
    slice: TimeSlice,
  ): Promise<TopHits[]> {
    const { table } = this.#parts
    const tops = probes.map(() => new TopHits(call.k, call.floor ?? -1))
    const { newest } = table
    const slots = matching && this.#passageSlots(matching)
    const end = slots ? slots.length : table.end
    for (let i = 0; i < end; i++) {
      const slot = slots ? slots[i]! : i
      const label = table.label(slot)
      // A slot that matched may have been given to a later document.
      if (label === 0 || (matching && label > newest)) continue
      const document = table.document(slot)
      const block = table.block(slot)
      const offset = table.offset(slot)
      for (let p = 0; p < probes.length; p++) {
        tops[p]!.offer(label, document, similarity(probes[p]!, block, offset))
      }
      if (i % SCORES_PER_LOOK === 0) await slice.pause()
    }
    return tops
  }

  /** Slots of all passages of the documents whose first passages are in a set. */
  #passageSlots(matching: Bitset): ArrayLike<number> {
    const { table } = this.#parts
    const first = matching.members()
    if (table.size === table.documents) return first
    return Array.from(first).flatMap((slot) =>
      table.labelsOf(table.label(slot)).map((label) => table.slot(label)!),
    )
  }

  /** Undefined, too, where the filter may no longer hold for what was found. */
  async #resolve(
    top: TopHits,
    { k, fields, filter }: SearchCall,
    budget: ReadBudget,
    slice: TimeSlice,
    leaveOut = false,
  ): Promise<FoundHit[] | undefined> {
    const { table } = this.#parts
    const { version } = table
    const options = { k, budget, leaveOut, ...(fields && { fields }) }
    const hits = await resolveHits(top, this.#parts, options, slice)
    return filter && !leaveOut && table.version !== version ? undefined : hits
  }
}
