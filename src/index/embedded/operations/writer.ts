import { isDeepStrictEqual } from 'node:util'
import { ServiceError } from '../../../errors.ts'
import { type Chunking, type CollectionSettings, otherChunking } from '../../collection-settings.ts'
import type { UpsertResult } from '../../document-index.ts'
import type { Filter } from '../../filter.ts'
import { patched } from '../../metadata/merge-patch.ts'
import type { CooperativeScheduler, Mutex, TimeSlice } from '../cooperative-scheduler.ts'
import type { LastRoom } from '../database/last-room.ts'
import type { LiveConnection } from '../database/live-connection.ts'
import { type RowWriter, rowWriter } from '../database/rows.ts'
import type { WriteGuard } from '../database/write-guard.ts'
import type { FilterIndex } from '../filter/filter-index.ts'
import type { GraphSnapshots } from '../hnsw/graph-snapshots.ts'
import type { LiveGraph } from '../hnsw/live-graph.ts'
import type { CommitCount } from '../integrity/commit-count.ts'
import type { Damages } from '../integrity/damages.ts'
import { forgetLost } from '../integrity/rebuild.ts'
import type { StoredDocuments } from '../integrity/stored-documents.ts'
import type { WordIndex } from '../lexical/word-index.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import type { PatchCall, PatchReply, RemoveCall, UpsertCall } from '../wire.ts'

/** Unknown ids that an error names. */
const NAMED_MAX = 10

export interface WriterParts {
  db: LiveConnection
  table: VectorTable
  /** What it is made of cannot change. */
  settings: Pick<CollectionSettings, 'analysis' | 'dates'>
  /** What documents are to be found by, now. */
  chunking: () => Chunking
  words: WordIndex
  graph: LiveGraph
  snapshots: GraphSnapshots
  filters: FilterIndex
  scheduler: CooperativeScheduler
  writes: Mutex
  guard: WriteGuard
  /** @throws ServiceError STORE_UNUSABLE where a commit would not last */
  checkWritable: () => void
  damages: Damages
  /** Reads what is committed. */
  stored: StoredDocuments
  commits: CommitCount
  room: LastRoom
}

interface AddedPassage {
  label: number
  document: number
  vector: Float32Array
}

/**
 * The write path: one transaction for each call, and only when it is committed (so durable) do the vectors in memory
 * and the graph change. Writes are done one after another; searches go on between their slices and, reading by another
 * connection, see nothing of a transaction before its commit. A caller who gives up before the commit gets nothing
 * stored; after it, the write is carried through.
 */
export class Writer {
  readonly #parts: WriterParts
  readonly #rows: RowWriter

  constructor(parts: WriterParts) {
    this.#parts = parts
    this.#rows = rowWriter(parts.db, parts.settings)
  }

  upsert(call: UpsertCall, signal: AbortSignal): Promise<UpsertResult> {
    const { documents, vectors, chunking, unlessChanged = false } = call
    const { dimensions } = this.#parts.table
    return this.#write(signal, async (slice) => {
      if (chunking && !isDeepStrictEqual(chunking, this.#parts.chunking())) throw otherChunking()
      const lost = unlessChanged ? [] : this.#lost(documents.map(({ id }) => id))
      const { replaced, added, changed } = await this.#transaction(
        { deletes: false, settled: lost },
        async () => {
          const replaced: number[] = []
          const added: AddedPassage[] = []
          const changed: string[] = []
          let row = 0
          for (const document of documents) {
            const old = this.#rows.keyOf(document.id)
            if (unlessChanged && (old === undefined || !this.#rows.holds(old, document))) {
              changed.push(document.id)
              row += document.spans.length
              continue
            }
            if (old !== undefined) {
              this.#rows.delete(old)
              replaced.push(old)
            }
            const end = row + document.spans.length
            const key = this.#rows.insert(document, vectors.subarray(row * dimensions, end * dimensions))
            for (let label = key; row < end; row++, label++) {
              const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions)
              added.push({ label, document: key, vector })
            }
            await slice.pause()
          }
          return { replaced, added, changed }
        },
      )
      await this.#apply(replaced, added)
      const updated = replaced.length + lost.length
      return {
        created: documents.length - changed.length - updated,
        updated,
        ...(unlessChanged && { changed }),
      }
    })
  }

  remove(target: RemoveCall, signal: AbortSignal): Promise<{ removed: number }> {
    return this.#write(signal, async (slice) => {
      const keys = 'ids' in target ? this.#keysOf(target.ids) : await this.#matching(target.filter, slice)
      const lost = 'ids' in target ? this.#lost(target.ids) : []
      await this.#transaction({ deletes: true, settled: lost }, async () => {
        for (const key of keys) {
          this.#rows.delete(key)
          await slice.pause()
        }
      })
      await this.#apply(keys, [])
      return { removed: keys.length + lost.length }
    })
  }

  /** Merges into what is stored at that moment, so that no other patch is lost. */
  patch({ target, patch }: PatchCall, signal: AbortSignal): Promise<PatchReply> {
    const { table, stored } = this.#parts
    return this.#write(signal, async (slice) => {
      const keys = 'ids' in target ? this.#existing(target.ids) : await this.#matching(target.filter, slice)
      const reply = await this.#transaction({ deletes: false, settled: [] }, async () => {
        const reply: PatchReply = { patched: 0 }
        for (const document of keys) {
          const found = stored.byKey(document)
          // Damaged, as has been said by now.
          if (!found) continue
          const metadata = JSON.stringify(patched(JSON.parse(found.metadata), patch, found.id))
          if (metadata !== found.metadata) {
            const passages = table.labelsOf(document).length
            this.#rows.setMetadata({ ...found, document, metadata, passages })
          }
          reply.patched++
          if ('ids' in target && keys.length === 1) reply.metadata = metadata
          await slice.pause()
        }
        return reply
      })
      table.changed()
      return reply
    })
  }

  /** What has been committed, in memory and in the graph. */
  async #apply(removed: number[], added: AddedPassage[]): Promise<void> {
    const { table, words, graph, snapshots, scheduler, damages } = this.#parts
    const slice = scheduler.slice('write')
    for (const document of removed) damages.gone(document)
    const gone = removed.flatMap((document) => table.labelsOf(document))
    for (const label of gone) table.remove(label)
    for (const { label, document, vector } of added) table.add(label, document, vector)
    words.apply(removed, [...new Set(added.map(({ document }) => document))])
    const labels = added.map(({ label }) => label)
    graph.expect(labels)
    await graph.retire(gone, slice)
    await graph.link(labels, slice)
    snapshots.changes += gone.length + labels.length
  }

  #write<T>(signal: AbortSignal, work: (slice: TimeSlice) => Promise<T>): Promise<T> {
    return this.#parts.writes.run(async () => {
      const slice = this.#parts.scheduler.slice('write', signal)
      await slice.yield()
      return work(slice)
    })
  }

  /** Those of the ids whose documents a rebuild could not keep. */
  #lost(ids: string[]): string[] {
    return [...new Set(ids)].filter((id) => this.#parts.damages.isLost(id))
  }

  /**
   * @param settled lost documents that are not to be reported any longer
   * @param work is done again where there was no room for it
   */
  #transaction<T>(
    { deletes, settled }: { deletes: boolean; settled: string[] },
    work: () => Promise<T>,
  ): Promise<T> {
    return this.#parts.room.run(deletes, () => this.#attempt(settled, work))
  }

  async #attempt<T>(settled: string[], work: () => Promise<T>): Promise<T> {
    const { db: live, commits, guard, checkWritable, damages } = this.#parts
    const db = live.current
    db.exec('BEGIN IMMEDIATE')
    try {
      guard.checkOwner()
      const result = await work()
      for (const id of settled) forgetLost(live, id)
      commits.count(live)
      checkWritable()
      db.exec('COMMIT')
      guard.committed()
      commits.counted()
      for (const id of settled) damages.settled(id)
      return result
    } catch (error) {
      // Some failures (a full disk) have rolled back already.
      if (db.inTransaction) db.exec('ROLLBACK')
      throw error
    }
  }

  /** @throws ServiceError NOT_FOUND, DOCUMENT_DAMAGED */
  #existing(ids: string[]): number[] {
    const { stored } = this.#parts
    const missing = [...new Set(ids)].filter((id) => stored.byId(id) === undefined)
    if (missing.length === 0) return this.#keysOf(ids)
    const message = `${missing.length} of the ids have no document; nothing has been changed.`
    throw new ServiceError('NOT_FOUND', message, { ids: missing.slice(0, NAMED_MAX) })
  }

  #keysOf(ids: string[]): number[] {
    return [...new Set(ids)].map((id) => this.#rows.keyOf(id)).filter((key) => key !== undefined)
  }

  async #matching(filter: Filter, slice: TimeSlice): Promise<number[]> {
    const { filters, table } = this.#parts
    return Array.from((await filters.matching(filter, slice)).members(), (slot) => table.document(slot))
  }
}
