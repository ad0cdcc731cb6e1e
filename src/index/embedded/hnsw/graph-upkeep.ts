import type { CooperativeScheduler, Mutex } from '../cooperative-scheduler.ts'
import type { IndexLimits } from '../limits.ts'
import type { EngineNotice } from '../notice.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import type { GraphSnapshots } from './graph-snapshots.ts'
import type { LiveGraph } from './live-graph.ts'

/** After a save of the graph failed. */
const SAVE_AGAIN_MS = 60_000

export interface GraphUpkeepParts {
  graph: LiveGraph
  snapshots: GraphSnapshots
  table: VectorTable
  writes: Mutex
  scheduler: CooperativeScheduler
  limits: Pick<IndexLimits, 'snapshotChangesMin'>
  notice: (notice: EngineNotice) => void
}

/** What keeps the HNSW graph good beside the calls: links what is missing, rebuilds, saves. It never fails a call. */
export class GraphUpkeep {
  readonly #parts: GraphUpkeepParts
  readonly #running = new Set<Promise<void>>()
  #closing = false
  #saveAgainAt = 0

  constructor(parts: GraphUpkeepParts) {
    this.#parts = parts
  }

  /** Links what was stored without being linked. */
  start(): void {
    const { graph, snapshots } = this.#parts
    if (graph.pending.size === 0) return
    snapshots.changes += graph.pending.size
    this.#run(
      graph.linkPending().then(() => this.look()),
      this.#notBuilt,
    )
  }

  /** Begins what is due. */
  look(): void {
    if (this.#closing) return
    const { graph, snapshots, table, limits } = this.#parts
    if (graph.needsRebuild) {
      const before = graph.tombstones
      const rebuilt = graph.rebuild().then(() => {
        snapshots.changes += before
        this.look()
      })
      this.#run(rebuilt, this.#notBuilt)
    }
    const due = snapshots.changes >= Math.max(limits.snapshotChangesMin, table.size / 5)
    if (due && performance.now() >= this.#saveAgainAt) {
      this.#run(this.#save(), (error) => {
        this.#saveAgainAt = performance.now() + SAVE_AGAIN_MS
        this.#notSaved(error)
      })
    }
  }

  /** Takes passages out of the graph that are no longer answered. */
  retire(labels: number[]): void {
    const { graph, writes, scheduler } = this.#parts
    this.#run(
      writes.run(() => graph.retire(labels, scheduler.slice('upkeep'))),
      this.#notBuilt,
    )
  }

  /** Ends what runs, then saves the graph. @param others what else has to end before that */
  async close(others: Promise<unknown>[]): Promise<void> {
    this.#closing = true
    this.#parts.graph.stop()
    await Promise.all([...others, ...this.#running])
    await this.#save().catch(this.#notSaved)
  }

  #save(): Promise<void> {
    const { graph, snapshots, writes, scheduler } = this.#parts
    return snapshots.save(graph, writes, scheduler)
  }

  #run(work: Promise<void>, failed: (error: unknown) => void): void {
    const task = work.catch(failed).finally(() => this.#running.delete(task))
    this.#running.add(task)
  }

  #warn(kind: EngineNotice['kind'], message: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    this.#parts.notice({ level: 'warn', kind, message, facts: { reason } })
  }

  readonly #notSaved = (error: unknown): void =>
    this.#warn(
      'graph-not-saved',
      'the HNSW graph could not be saved; the documents are safe, but the next start takes longer',
      error,
    )

  readonly #notBuilt = (error: unknown): void =>
    this.#warn(
      'graph-not-built',
      'building the HNSW graph failed; searches continue without it, and are slower',
      error,
    )
}
