import type { Filter } from '../filter.ts'
import type { Mutex, Slice, Turns } from './cooperative-scheduler.ts'
import type { Connection } from './database/connection.ts'
import { rowWriter } from './database/rows.ts'
import type { FilterIndex } from './filter/filter-index.ts'
import type { GraphKeeper } from './hnsw/graph-snapshots.ts'
import type { LiveGraph } from './hnsw/live-graph.ts'
import type { VectorTable } from './vectors/vector-table.ts'
import type { RemoveCall, UpsertCall } from './wire.ts'

export interface WriterParts {
  db: Connection
  table: VectorTable
  graph: LiveGraph
  keeper: GraphKeeper
  filters: FilterIndex
  turns: Turns
  writes: Mutex
}

/**
 * The write path: one transaction for each call, and only when it is committed (so durable) do the vectors in memory
 * and the graph change. Writes are done one after another; searches go on between their slices and, reading by another
 * connection, see nothing of a transaction before its commit.
 */
export class Writer {
  readonly #parts: WriterParts
  readonly #rows: ReturnType<typeof rowWriter>

  constructor(parts: WriterParts) {
    this.#parts = parts
    this.#rows = rowWriter(parts.db)
  }

  upsert({ documents, vectors }: UpsertCall): Promise<{ created: number; updated: number }> {
    const { table, graph } = this.#parts
    const { dimensions } = table
    return this.#write(async (slice) => {
      const removed: number[] = []
      const added: { label: number; vector: Float32Array }[] = []
      await this.#transaction(async () => {
        for (const [i, document] of documents.entries()) {
          const old = this.#rows.labelOf(document.id)
          if (old !== undefined) {
            this.#rows.delete(old)
            removed.push(old)
          }
          const vector = vectors.subarray(i * dimensions, (i + 1) * dimensions)
          added.push({ label: this.#rows.insert({ ...document, vector }), vector })
          await slice.pause()
        }
      })
      for (const label of removed) table.remove(label)
      for (const { label, vector } of added) table.add(label, vector)
      const labels = added.map(({ label }) => label)
      graph.expect(labels)
      await graph.retire(removed, slice)
      await graph.link(labels, slice)
      this.#parts.keeper.changes += removed.length + added.length
      return { created: added.length - removed.length, updated: removed.length }
    })
  }

  remove(target: RemoveCall): Promise<{ removed: number }> {
    return this.#write(async (slice) => {
      const labels = 'ids' in target ? this.#labelsOf(target.ids) : await this.#matching(target.filter, slice)
      await this.#transaction(async () => {
        for (const label of labels) {
          this.#rows.delete(label)
          await slice.pause()
        }
      })
      for (const label of labels) this.#parts.table.remove(label)
      await this.#parts.graph.retire(labels, slice)
      this.#parts.keeper.changes += labels.length
      return { removed: labels.length }
    })
  }

  #write<T>(work: (slice: Slice) => Promise<T>): Promise<T> {
    return this.#parts.writes.run(async () => {
      const slice = this.#parts.turns.slice('write')
      await slice.yield()
      return work(slice)
    })
  }

  async #transaction(work: () => Promise<void>): Promise<void> {
    const { db } = this.#parts
    db.exec('BEGIN IMMEDIATE')
    try {
      await work()
      db.exec('COMMIT')
    } catch (error) {
      // Some failures (a full disk) have rolled back already.
      if (db.inTransaction) db.exec('ROLLBACK')
      throw error
    }
  }

  #labelsOf(ids: string[]): number[] {
    return [...new Set(ids)].map((id) => this.#rows.labelOf(id)).filter((label) => label !== undefined)
  }

  async #matching(filter: Filter, slice: Slice): Promise<number[]> {
    const { filters, table } = this.#parts
    return Array.from((await filters.matching(filter, slice)).members(), (slot) => table.label(slot))
  }
}
