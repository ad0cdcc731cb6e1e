import type { CollectionSettings, SettingsChange } from '../collection-settings.ts'
import type { CollectionIdentity } from '../index-engine.ts'
import { DateFields } from '../metadata/dates.ts'
import { type CooperativeScheduler, Mutex } from './cooperative-scheduler.ts'
import { rowReader } from './database/checked-rows.ts'
import { isDamage, storeError } from './database/connection.ts'
import type { DiskReserve } from './database/disk-reserve.ts'
import type { FolderLock } from './database/folder-lock.ts'
import { LastRoom } from './database/last-room.ts'
import { loadVectors, reloadVectors } from './database/load-vectors.ts'
import type { MigrationProgress } from './database/migrations/migrate.ts'
import { migrationNotice } from './database/migrations/migration-notice.ts'
import { damaged, type OpenFiles, openFiles } from './database/open-files.ts'
import { SETTINGS, writeFact } from './database/schema.ts'
import { WriteGuard } from './database/write-guard.ts'
import { FilterIndex } from './filter/filter-index.ts'
import { GraphSnapshots } from './hnsw/graph-snapshots.ts'
import { GraphUpkeep } from './hnsw/graph-upkeep.ts'
import { LiveGraph } from './hnsw/live-graph.ts'
import { Damages } from './integrity/damages.ts'
import { Mender } from './integrity/mender.ts'
import { lostIds } from './integrity/rebuild.ts'
import { Scrub } from './integrity/scrub.ts'
import { StoredDocuments } from './integrity/stored-documents.ts'
import type { LostDocument } from './integrity/survey.ts'
import { WordIndex } from './lexical/word-index.ts'
import { isWordsDamage } from './lexical/words-damage.ts'
import type { IndexLimits } from './limits.ts'
import type { EngineNotice } from './notice.ts'
import { Reader } from './operations/reader.ts'
import { Searcher } from './operations/searcher.ts'
import { Writer } from './operations/writer.ts'
import { VectorTable } from './vectors/vector-table.ts'
import type {
  CountCall,
  Counts,
  ExcerptsCall,
  FacetsCall,
  GetCall,
  HighlightCall,
  IdsCall,
  PatchCall,
  RemoveCall,
  ScanCall,
  SearchCall,
  UpsertCall,
  WordSearchCall,
} from './wire.ts'

export interface CollectionEngineOptions {
  /** The collection's own. */
  folder: string
  identity: CollectionIdentity
  /** Of a collection that is created now. */
  settings: CollectionSettings
  limits: IndexLimits
  /** Of the data folder. */
  lock: FolderLock
  /** Of the data folder, too. */
  reserve: DiskReserve
  /** Shared by all collections of the thread. */
  scheduler: CooperativeScheduler
  notice: (notice: EngineNotice) => void
}

export type CollectionEngine = Awaited<ReturnType<typeof openCollectionEngine>>

/**
 * One collection as it runs in the worker: opens the files, loads vectors and graph, then answers calls.
 *
 * @throws ServiceError STORE_UNUSABLE
 */
export async function openCollectionEngine(options: CollectionEngineOptions) {
  const { folder, identity, settings, limits, notice } = options
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw storeError(error)
    }
  }
  return guard(async () => {
    const { databaseBytesMax } = limits
    const onMigration = (progress: MigrationProgress) => notice(migrationNotice(progress))
    const files = openFiles({ folder, identity, settings, databaseBytesMax, onMigration, notice })
    try {
      return await startEngine(options, files, guard)
    } catch (error) {
      files.release()
      throw error
    }
  })
}

async function startEngine(
  { folder, identity, limits, lock, reserve, scheduler, notice }: Omit<CollectionEngineOptions, 'settings'>,
  files: OpenFiles,
  guard: <T>(work: () => Promise<T>) => Promise<T>,
) {
  const { dimensions, fingerprint } = identity
  let { settings } = files
  const { m = limits.hnswM, efConstruction = limits.hnswEfConstruction } = settings.hnsw
  const parameters = { dimensions, m, efConstruction }
  const writes = new Mutex()
  const { db, reader, commits } = files
  const table = new VectorTable(dimensions)
  const rows = rowReader(reader)
  let retire = (_labels: number[]): void => {}
  const leaveOut = (document: number) => {
    const labels = table.labelsOf(document)
    for (const label of labels) table.remove(label)
    retire(labels)
  }
  const damages = new Damages({ notice, leaveOut, lost: lostIds(reader) })
  const before = damages.size
  const indexed = loadVectors(table, rows, damages)
  if (damages.size > before && table.documents === 0) {
    throw damaged(folder, `none of its ${damages.size - before} documents can be read`)
  }
  const snapshots = new GraphSnapshots({ folder, fingerprint, parameters }, db, notice)
  const graph = new LiveGraph(
    { table, parameters, scheduler, writes, notice, ...limits },
    await snapshots.load(),
  )
  const filters = new FilterIndex(reader, table)
  const reload = async (lost: readonly LostDocument[]) => {
    for (const { document } of lost) leaveOut(document)
    filters.forget()
    words.load()
    graph.expect(reloadVectors(table, rows))
    await graph.link([...graph.pending], scheduler.slice('write'))
  }
  const mender = new Mender({ folder, files, damages, scheduler, writes, notice, reload })
  const stored = new StoredDocuments({ table, rows, damages, mender })
  const { analysis } = settings
  const dates = new DateFields(settings.dates)
  const words = new WordIndex({
    ...{ db, reader, rows, table, filters, stored, mender, analysis, scheduler, writes, notice, limits },
    damaged: files.wordsDamaged,
  })
  const searcher = new Searcher({
    ...{ table, graph, filters, rows, stored, damages, scheduler },
    limits: {
      ...limits,
      get hnswEf() {
        return settings.hnsw.ef ?? limits.hnswEf
      },
    },
  })
  const reads = new Reader({ db: reader, rows, table, dates, filters, stored, scheduler, limits })
  const writeGuard = new WriteGuard(db, folder, lock)
  const checkWritable = () => {
    mender.checkWritable()
    writeGuard.check()
  }
  const writer = new Writer({
    ...{ db, table, settings, words, graph, snapshots, filters, scheduler, writes, damages, commits },
    chunking: () => settings.chunking,
    guard: writeGuard,
    checkWritable,
    stored,
    room: new LastRoom(db, reserve, limits.databaseBytesMax),
  })
  const upkeep = new GraphUpkeep({ graph, snapshots, table, writes, scheduler, limits, notice })
  const thenUpkeep = <T>(result: T): T => {
    upkeep.look()
    return result
  }
  retire = (labels) => upkeep.retire(labels)
  upkeep.start()

  if (files.problem !== undefined) mender.suspect(files.problem)
  else if (damages.unreadable) mender.suspect('a page cannot be read')
  else if (!indexed) mender.suspect('the index on ids does not agree with the documents')
  const scrub = new Scrub({
    ...{ folder, reader, rows, table, dates, damages, mender, words, scheduler, notice },
    hours: limits.scrubHours,
    pagesChecked: files.checked,
  })
  /** What meets damage that is not one document's waits for the database to be rebuilt, and is done again. */
  const answer = <T>(work: () => Promise<T>): Promise<T> =>
    guard(async () => {
      try {
        return await work()
      } catch (error) {
        if (isWordsDamage(error)) return words.mended(work)
        if (!isDamage(error) || !(await mender.mend('a page or index cannot be used'))) throw error
        return work()
      }
    })

  return {
    identity,
    settings: () => settings,
    configure: (change: SettingsChange) =>
      guard(() =>
        writes.run(async () => {
          const changed = { ...settings, ...change }
          checkWritable()
          writeFact(db.current, SETTINGS, JSON.stringify(changed))
          settings = changed
          return settings
        }),
      ),
    upsert: (call: UpsertCall, signal: AbortSignal) =>
      answer(() => writer.upsert(call, signal).then(thenUpkeep)),
    remove: (call: RemoveCall, signal: AbortSignal) =>
      answer(() => writer.remove(call, signal).then(thenUpkeep)),
    patch: (call: PatchCall, signal: AbortSignal) => answer(() => writer.patch(call, signal)),
    search: (call: SearchCall, signal: AbortSignal) => answer(() => searcher.search(call, signal)),
    searchWords: (call: WordSearchCall, signal: AbortSignal) => answer(() => words.search(call, signal)),
    highlight: (call: HighlightCall, signal: AbortSignal) => words.highlight(call, signal),
    get: (call: GetCall, signal: AbortSignal) => answer(() => reads.get(call, signal)),
    passages: (call: IdsCall, signal: AbortSignal) => answer(() => reads.passages(call, signal)),
    excerpts: (call: ExcerptsCall, signal: AbortSignal) => answer(() => reads.excerpts(call, signal)),
    scan: (call: ScanCall, signal: AbortSignal) => answer(() => reads.scan(call, signal)),
    count: (call: CountCall, signal: AbortSignal) => answer(() => reads.count(call, signal)),
    facets: (call: FacetsCall, signal: AbortSignal) => answer(() => reads.facets(call, signal)),
    /** @throws ServiceError STORE_UNUSABLE where nothing that is written would last */
    checkWritable,
    counts: (): Counts => ({
      documents: table.documents,
      passages: table.size,
      tombstones: graph.tombstones,
      damagedDocuments: damages.size,
      missingCommits: commits.missing,
      fileDamaged: mender.problem === undefined ? 0 : 1,
      scrubs: scrub.done,
    }),
    /** Saves the graph, then lets go of the files. */
    close: () =>
      guard(async () => {
        await upkeep.close([scrub.stop(), mender.stop(), words.stop()])
        files.release()
      }),
  }
}
