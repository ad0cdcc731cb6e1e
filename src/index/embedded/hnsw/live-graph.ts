import type { CooperativeScheduler, Mutex, TimeSlice } from '../cooperative-scheduler.ts'
import type { EngineNotice } from '../notice.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import { HnswGraph, type HnswParameters } from './hnsw-graph.ts'

const PROGRESS_MS = 5_000

export interface LiveGraphOptions {
  table: VectorTable
  parameters: HnswParameters
  scheduler: CooperativeScheduler
  /** Held by whoever changes or saves the graph. */
  writes: Mutex
  tombstonePercentMax: number
  tombstonesMin: number
  notice: (notice: EngineNotice) => void
}

/**
 * The graph in step with the table: new vectors wait in `pending` (searches score them one by one) until they are
 * linked, removed ones are retired, and when too many are, a new graph is built beside the old one and takes its place.
 */
export class LiveGraph {
  readonly #options: LiveGraphOptions
  /** Live labels that the graph does not hold yet. */
  readonly pending = new Set<number>()
  #graph: HnswGraph
  #next: HnswGraph | undefined
  #stopped = false

  constructor(options: LiveGraphOptions, graph: HnswGraph) {
    this.#options = options
    this.#graph = graph
    const linked = new Set(graph.labels())
    for (const label of linked) if (!options.table.has(label)) graph.retire(label)
    for (const label of options.table.labels()) if (!linked.has(label)) this.pending.add(label)
  }

  get current(): HnswGraph {
    return this.#graph
  }

  get linked(): number {
    return this.#options.table.size - this.pending.size
  }

  get tombstones(): number {
    return this.#graph.elements - this.linked
  }

  /** After vectors were added to the table. */
  expect(labels: readonly number[]): void {
    for (const label of labels) this.pending.add(label)
  }

  /** After vectors were removed from the table. Holds the write lock. */
  async retire(labels: readonly number[], slice: TimeSlice): Promise<void> {
    for (const label of labels) {
      if (!this.pending.delete(label)) this.#graph.retire(label)
      this.#next?.retire(label)
      await slice.pause()
    }
  }

  /** Holds the write lock. */
  async link(labels: Iterable<number>, slice: TimeSlice): Promise<void> {
    for (const label of labels) {
      await slice.pause()
      this.#link(label)
    }
  }

  /** Links what is pending (after a crash, or all of it when the graph was lost) a little at a time. */
  async linkPending(): Promise<void> {
    const { scheduler, writes } = this.#options
    const all = this.pending.size
    if (all === 0) return
    const progress = this.#progress(all)
    progress(0)
    while (this.pending.size > 0 && !this.#stopped) {
      await scheduler.next('upkeep')
      await writes.run(async () => {
        const slice = scheduler.slice('upkeep')
        for (const label of this.pending) {
          if (slice.over || this.#stopped) break
          this.#link(label)
        }
      })
      progress(all - this.pending.size)
    }
    if (!this.#stopped) this.#built(all)
  }

  /** Whether retired vectors have become too many. */
  get needsRebuild(): boolean {
    const { tombstonePercentMax, tombstonesMin } = this.#options
    const allowed = Math.max(tombstonesMin, (tombstonePercentMax / 100) * this.#graph.elements)
    return this.#next === undefined && this.tombstones > allowed
  }

  /** Builds a graph of the live vectors, slice by slice, while the old one answers; then swaps. */
  async rebuild(): Promise<void> {
    const { table, parameters, scheduler, writes } = this.#options
    // What is pending now, or added later, is linked into both graphs.
    const labels = table.labels().filter((label) => !this.pending.has(label))
    const next = HnswGraph.empty(parameters, Math.ceil(table.size * 1.1))
    this.#next = next
    const progress = this.#progress(labels.length)
    const slice = scheduler.slice('upkeep')
    try {
      for (const [i, label] of labels.entries()) {
        await slice.pause()
        if (this.#stopped) return
        const slot = table.slot(label)
        if (slot !== undefined) next.add(label, table.vector(slot))
        progress(i)
      }
      await writes.run(async () => {
        this.#graph.free()
        this.#graph = next
      })
    } finally {
      this.#next = undefined
    }
    this.#built(labels.length)
  }

  /** Ends background work at its next turn. */
  stop(): void {
    this.#stopped = true
  }

  #link(label: number): void {
    const slot = this.#options.table.slot(label)
    if (slot === undefined || !this.pending.has(label)) return
    const vector = this.#options.table.vector(slot)
    this.#graph.add(label, vector)
    this.pending.delete(label)
    this.#next?.add(label, vector)
  }

  #progress(all: number): (done: number) => void {
    let at = 0
    return (done) => {
      if (performance.now() < at) return
      at = performance.now() + PROGRESS_MS
      this.#options.notice({
        level: 'info',
        kind: 'graph-building',
        message: `building the HNSW graph: ${done} of ${all} vectors`,
        facts: { done, all },
      })
    }
  }

  #built(vectors: number): void {
    this.#options.notice({
      level: 'info',
      kind: 'graph-built',
      message: `the HNSW graph is complete: ${vectors} vectors linked`,
      facts: { vectors },
    })
  }
}
