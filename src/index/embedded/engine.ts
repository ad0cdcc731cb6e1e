import type { Emit } from '../../worker/serve.ts'
import { Mutex, Turns } from './cooperative-scheduler.ts'
import { storeError } from './database/connection.ts'
import { loadVectors } from './database/load-vectors.ts'
import { type OpenFiles, openFiles } from './database/open-files.ts'
import { rowReader } from './database/rows.ts'
import { FilterIndex } from './filter/filter-index.ts'
import { GraphKeeper } from './hnsw/graph-snapshots.ts'
import { LiveGraph } from './hnsw/live-graph.ts'
import type { StoreNotice } from './limits.ts'
import { Reader } from './reader.ts'
import { Searcher } from './searcher.ts'
import type { Counts, RemoveCall, ScanCall, SearchCall, UpsertCall, WorkerData } from './wire.ts'
import { Writer } from './writer.ts'

export interface EngineEvents {
  notice: StoreNotice
  counts: Counts
}

/**
 * The store as it runs in its worker: opens the files, loads vectors and graph, then answers calls.
 *
 * @throws ServiceError STORE_UNUSABLE
 */
export async function openEngine(data: WorkerData, emit: Emit<EngineEvents>) {
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw storeError(error, data.dataDir)
    }
  }
  return guard(async () => {
    const files = openFiles(data)
    try {
      return await startEngine(data, emit, files, guard)
    } catch (error) {
      files.release()
      throw error
    }
  })
}

async function startEngine(
  data: WorkerData,
  emit: Emit<EngineEvents>,
  { db, reader, release }: OpenFiles,
  guard: <T>(work: () => Promise<T>) => Promise<T>,
) {
  const { dataDir, dimensions, fingerprint, limits } = data
  const parameters = { dimensions, m: limits.m, efConstruction: limits.efConstruction }
  const turns = new Turns(limits.sliceMsMax)
  const writes = new Mutex()
  const table = loadVectors(reader, dataDir, dimensions)
  const keeper = new GraphKeeper({ dataDir, fingerprint, parameters }, db, (notice) => emit('notice', notice))
  const tell = (notice: StoreNotice) => {
    // Whoever hears that the graph is built sees its counts.
    if (notice.kind === 'graph-built') emit('counts', counts())
    emit('notice', notice)
  }
  const graph = new LiveGraph(
    { table, parameters, turns, writes, notice: tell, ...limits },
    await keeper.load(),
  )
  const rows = rowReader(reader)
  const filters = new FilterIndex(reader, table)
  const searcher = new Searcher({ table, graph, filters, rows, turns, limits })
  const reads = new Reader({ table, filters, rows, turns })
  const writer = new Writer({ db, table, graph, keeper, filters, turns, writes })
  const background = new Set<Promise<void>>()
  let closing = false

  const counts = (): Counts => ({ documents: table.size, tombstones: graph.tombstones })
  const warn = (kind: StoreNotice['kind'], message: string) => (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    emit('notice', { level: 'warn', kind, message, facts: { reason } })
  }
  const notSaved = warn(
    'graph-not-saved',
    'the graph could not be saved; the documents are safe, but the next start takes longer',
  )
  const notBuilt = warn('graph-not-built', 'building the graph failed; searches go on without, and slower')
  const save = () => keeper.save(graph, writes, turns)
  const inBackground = (work: Promise<void>, failed: (error: unknown) => void) => {
    const task = work.catch(failed).finally(() => background.delete(task))
    background.add(task)
  }
  const upkeep = () => {
    if (closing) return
    if (graph.needsRebuild) {
      const before = graph.tombstones
      const rebuilt = graph.rebuild().then(() => {
        keeper.changes += before
        upkeep()
      })
      inBackground(rebuilt, notBuilt)
    }
    if (keeper.changes >= Math.max(limits.snapshotChangesMin, table.size / 5)) inBackground(save(), notSaved)
  }
  const afterWrite = <T>(result: T): T => {
    emit('counts', counts())
    upkeep()
    return result
  }

  if (graph.pending.size > 0) {
    keeper.changes += graph.pending.size
    inBackground(graph.linkPending().then(upkeep), notBuilt)
  }

  return {
    counts,
    upsert: (call: UpsertCall) => guard(() => writer.upsert(call).then(afterWrite)),
    remove: (call: RemoveCall) => guard(() => writer.remove(call).then(afterWrite)),
    search: (call: SearchCall) => guard(() => searcher.search(call)),
    get: (ids: string[]) => guard(() => reads.get(ids)),
    vectors: (ids: string[]) => guard(() => reads.vectors(ids)),
    scan: (call: ScanCall) => guard(() => reads.scan(call)),
    count: (filter: Parameters<Reader['count']>[0]) => guard(() => reads.count(filter)),
    snapshot: () => guard(save),
    close: () =>
      guard(async () => {
        closing = true
        graph.stop()
        await Promise.all(background)
        await save().catch(notSaved)
        release()
      }),
  }
}
