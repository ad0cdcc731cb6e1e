import { ServiceError, toServiceError } from '../../errors.ts'
import type { Emit } from '../../worker/serve.ts'
import { DEFAULT_COLLECTION, type IndexNotice, type StoredCollection } from '../index-engine.ts'
import type { Json } from '../json.ts'
import { finishRestore } from './backup/finish-restore.ts'
import { type CollectionEngine, openCollectionEngine } from './collection-engine.ts'
import { CooperativeScheduler } from './cooperative-scheduler.ts'
import { storeError } from './database/connection.ts'
import { collectionFolder, collectionsIn } from './database/data-folder.ts'
import { DiskReserve } from './database/disk-reserve.ts'
import { FolderLock } from './database/folder-lock.ts'
import { createDatabase, makeFolder } from './database/open-files.ts'
import {
  createStored,
  describeStored,
  dropStored,
  isStored,
  sweepUnfinished,
} from './database/stored-collections.ts'
import { RecordFiles } from './records/record-files.ts'
import type { RecordPlace } from './records/record-text.ts'
import type {
  ConfigureCall,
  CountCall,
  ExcerptsCall,
  FacetsCall,
  ForCollection,
  GetCall,
  HighlightCall,
  IdsCall,
  OpenCall,
  PatchCall,
  RemoveCall,
  ScanCall,
  SearchCall,
  Trouble,
  UpsertCall,
  WordSearchCall,
  WorkerData,
} from './wire.ts'

export interface HostEvents {
  notice: IndexNotice
  trouble: Trouble
}

/** How often the files of open collections are looked at. */
const WATCH_MS = 1000

/**
 * The collections of one data folder, in one thread: `default` in the folder itself, the others each in a folder of
 * their own below it. They share the thread by time slices.
 *
 * @throws ServiceError STORE_UNUSABLE when another process has the folder
 */
export function openCollectionsHost({ dataDir, limits }: WorkerData, emit: Emit<HostEvents>) {
  makeFolder(dataDir)
  const lock = new FolderLock(dataDir)
  finishRestore(dataDir)
  sweepUnfinished(dataDir)
  const reserve = new DiskReserve(dataDir, limits.reserveBytes)
  reserve.hold()
  const records = new RecordFiles(dataDir, lock)
  const scheduler = new CooperativeScheduler(limits.sliceMsMax)
  const opened = new Map<string, CollectionEngine>()
  /** Being opened or closed: nobody else touches their files meanwhile. */
  const busy = new Set<string>()

  const engine = (collection: string): CollectionEngine => {
    const found = opened.get(collection)
    if (!found) throw new ServiceError('UNAVAILABLE', `The collection ${collection} is closed.`)
    return found
  }
  const alone = async (collection: string, work: () => Promise<void>): Promise<void> => {
    busy.add(collection)
    try {
      await work()
    } finally {
      busy.delete(collection)
    }
  }
  const create = (collection: string, what: Omit<OpenCall, 'collection'>): void => {
    lock.check()
    guarded(() => createStored(dataDir, collection, (folder) => createDatabase(folder, what)))
  }
  const close = async (collection: string): Promise<void> => {
    const closing = opened.get(collection)
    if (!closing) return
    opened.delete(collection)
    await alone(collection, () => closing.close())
  }

  const watch = watchWritable(opened, (trouble) => emit('trouble', trouble))

  return {
    open: async ({ collection, identity, settings }: OpenCall) => {
      if (opened.has(collection) || busy.has(collection)) throw inUse(collection)
      const folder = collectionFolder(dataDir, collection)
      const notice = (news: Omit<IndexNotice, 'collection'>) => emit('notice', { collection, ...news })
      if (collection !== DEFAULT_COLLECTION && !isStored(dataDir, collection)) {
        create(collection, { identity, settings })
      }
      await alone(collection, async () => {
        opened.set(
          collection,
          await openCollectionEngine({
            folder,
            identity,
            settings,
            limits,
            lock,
            reserve,
            scheduler,
            notice,
          }),
        )
      })
      return { settings: engine(collection).settings() }
    },
    collections: () => collectionsIn(dataDir),
    describe: ({ collection }: ForCollection<object>): StoredCollection | undefined => {
      const found = opened.get(collection)
      if (found) return { identity: found.identity, settings: found.settings() }
      return isStored(dataDir, collection) ? guarded(() => describeStored(dataDir, collection)) : undefined
    },
    create: ({ collection, ...what }: OpenCall) => {
      if (opened.has(collection) || busy.has(collection) || isStored(dataDir, collection)) {
        throw new ServiceError('CONFLICT', `There is a collection ${collection} already.`, {
          field: 'collection',
        })
      }
      create(collection, what)
    },
    drop: async ({ collection }: ForCollection<object>): Promise<boolean> => {
      if (collection === DEFAULT_COLLECTION) {
        throw new ServiceError(
          'INVALID_INPUT',
          'The default collection cannot be dropped; delete its documents.',
        )
      }
      if (opened.has(collection) || busy.has(collection)) throw inUse(collection)
      if (!isStored(dataDir, collection)) return false
      lock.check()
      await alone(collection, () => dropStored(dataDir, collection))
      return true
    },
    configure: ({ collection, change }: ConfigureCall) => engine(collection).configure(change),
    upsert: ({ collection, ...call }: ForCollection<UpsertCall>, signal: AbortSignal) =>
      engine(collection).upsert(call, signal),
    remove: ({ collection, ...call }: ForCollection<RemoveCall>, signal: AbortSignal) =>
      engine(collection).remove(call, signal),
    patch: ({ collection, ...call }: ForCollection<PatchCall>, signal: AbortSignal) =>
      engine(collection).patch(call, signal),
    search: ({ collection, ...call }: ForCollection<SearchCall>, signal: AbortSignal) =>
      engine(collection).search(call, signal),
    searchWords: ({ collection, ...call }: ForCollection<WordSearchCall>, signal: AbortSignal) =>
      engine(collection).searchWords(call, signal),
    highlight: ({ collection, ...call }: ForCollection<HighlightCall>, signal: AbortSignal) =>
      engine(collection).highlight(call, signal),
    get: ({ collection, ...call }: ForCollection<GetCall>, signal: AbortSignal) =>
      engine(collection).get(call, signal),
    passages: ({ collection, ...call }: ForCollection<IdsCall>, signal: AbortSignal) =>
      engine(collection).passages(call, signal),
    excerpts: ({ collection, ...call }: ForCollection<ExcerptsCall>, signal: AbortSignal) =>
      engine(collection).excerpts(call, signal),
    scan: ({ collection, ...call }: ForCollection<ScanCall>, signal: AbortSignal) =>
      engine(collection).scan(call, signal),
    count: ({ collection, ...call }: ForCollection<CountCall>, signal: AbortSignal) =>
      engine(collection).count(call, signal),
    facets: ({ collection, ...call }: ForCollection<FacetsCall>, signal: AbortSignal) =>
      engine(collection).facets(call, signal),
    counts: ({ collection }: ForCollection<object>) => engine(collection).counts(),
    recordNames: ({ kind }: { kind: string }) => records.names(kind),
    record: (place: RecordPlace) => records.get(place),
    putRecord: (call: RecordPlace & { value: Json }) => records.put(call),
    removeRecord: (place: RecordPlace) => records.remove(place),
    closeCollection: ({ collection }: ForCollection<object>) => close(collection),
    close: async () => {
      for (const collection of [...opened.keys()]) await close(collection)
      clearInterval(watch)
      await records.close()
      lock.release()
    },
  }
}

function inUse(collection: string): ServiceError {
  return new ServiceError('INVALID_INPUT', `The collection ${collection} is open already.`)
}

function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw storeError(error)
  }
}

/** Says when a collection stops taking writes, and when it takes them again. */
function watchWritable(
  opened: ReadonlyMap<string, CollectionEngine>,
  say: (trouble: Trouble) => void,
): NodeJS.Timeout {
  const reported = new Map<string, string>()
  return setInterval(() => {
    for (const [collection, engine] of opened) {
      const problem = problemOf(engine)
      if (problem === reported.get(collection)) continue
      if (problem === undefined) reported.delete(collection)
      else reported.set(collection, problem)
      say({ collection, problem })
    }
  }, WATCH_MS)
}

function problemOf(engine: CollectionEngine): string | undefined {
  try {
    engine.checkWritable()
    return undefined
  } catch (error) {
    return toServiceError(error).message
  }
}
