import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import type { StoredCollection } from '../../index-engine.ts'
import { syncFolder } from '../hnsw/graph-file.ts'
import { connect } from './connection.ts'
import { COLLECTIONS, collectionFolder, DATABASE } from './data-folder.ts'
import { isOurs, readFact, readSettings } from './schema.ts'

/** Folders of collections that are not there yet, and no longer; no collection's name begins so. */
const CREATING = '.creating-'
const DROPPED = '.dropped-'

/** Removes what a process that was killed left of creating and dropping collections. */
export function sweepUnfinished(dataDir: string): void {
  const folder = join(dataDir, COLLECTIONS)
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) {
    if (name.startsWith(CREATING) || name.startsWith(DROPPED)) {
      rmSync(join(folder, name), { recursive: true, force: true })
    }
  }
}

/** Whether there is a collection, or what is left of one. */
export function isStored(dataDir: string, collection: string): boolean {
  return existsSync(join(collectionFolder(dataDir, collection), DATABASE))
}

/**
 * Makes a collection that is there whole or not at all, whenever the process ends. Not for the default one, whose folder
 * is the data folder.
 *
 * @param fill makes the database in the folder it is given, and closes it
 */
export function createStored(dataDir: string, collection: string, fill: (folder: string) => void): void {
  const parent = join(dataDir, COLLECTIONS)
  if (!existsSync(parent)) {
    mkdirSync(parent)
    syncFolder(dataDir)
  }
  const draft = join(parent, CREATING + collection)
  const folder = collectionFolder(dataDir, collection)
  rmSync(draft, { recursive: true, force: true })
  try {
    fill(draft)
    // An empty folder that somebody left there is no collection.
    rmSync(folder, { recursive: true, force: true })
    renameSync(draft, folder)
    syncFolder(parent)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    throw error
  }
}

/** Takes a collection away that nobody has open: gone when the folder has another name, then its files are removed. */
export async function dropStored(dataDir: string, collection: string): Promise<void> {
  const parent = join(dataDir, COLLECTIONS)
  const away = join(parent, `${DROPPED}${crypto.randomUUID()}`)
  renameSync(collectionFolder(dataDir, collection), away)
  syncFolder(parent)
  await rm(away, { recursive: true, force: true })
}

/**
 * What a collection that nobody has open is.
 * @throws ServiceError STORE_UNUSABLE where that cannot be read, or what SQLite throws
 */
export function describeStored(dataDir: string, collection: string): StoredCollection {
  const folder = collectionFolder(dataDir, collection)
  const db = connect(join(folder, DATABASE))
  try {
    const dimensions = Number(isOurs(db) ? readFact(db, 'dimensions') : Number.NaN)
    const fingerprint = isOurs(db) ? readFact(db, 'fingerprint') : undefined
    if (fingerprint === undefined || !Number.isInteger(dimensions)) {
      const message = `What the collection ${collection} is cannot be read: its database is damaged, or of another program. Restore it from a backup, or drop it.`
      throw new ServiceError('STORE_UNUSABLE', message)
    }
    return { identity: { dimensions, fingerprint }, settings: readSettings(db, folder) }
  } finally {
    db.close()
  }
}
