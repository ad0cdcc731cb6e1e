import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_COLLECTION } from '../../index-engine.ts'

/** A collection's database, in the folder of the collection. */
export const DATABASE = 'store.sqlite'
/** The folder of all collections but the default one, each in a folder of its own. */
export const COLLECTIONS = 'collections'
/** A collection's name is a folder's, too. */
export const COLLECTION_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/
/** The folder of records, below a data folder. */
export const RECORDS = 'records'

/** What a data folder holds of its documents; a restore puts all of it aside. */
const DATA_FILES =
  /^(commit-count|store\.sqlite(-wal|-shm|-journal)?|graph\.json(\.new)?|graph-[0-9a-f]+\.hnsw|collections|records)$/

/** Whether a name in a data folder is part of what it holds, and not of how it is kept, such as the lock. */
export function isDataFile(name: string): boolean {
  return DATA_FILES.test(name)
}

/** Where a collection's files are: those of the default one in the data folder itself. */
export function collectionFolder(dataDir: string, collection: string): string {
  return collection === DEFAULT_COLLECTION ? dataDir : join(dataDir, COLLECTIONS, collection)
}

/** The collections that have a database in a data folder, the default one first. */
export function collectionsIn(dataDir: string): string[] {
  const others = join(dataDir, COLLECTIONS)
  const names = existsSync(others) ? readdirSync(others).sort() : []
  return [DEFAULT_COLLECTION, ...names.filter((name) => COLLECTION_NAME.test(name))].filter((name) =>
    existsSync(join(collectionFolder(dataDir, name), DATABASE)),
  )
}
