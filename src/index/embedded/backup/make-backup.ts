import { mkdir, readdir, rename, rm, statfs, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import { DEFAULT_COLLECTION } from '../../index-engine.ts'
import { connect } from '../database/connection.ts'
import { collectionFolder, collectionsIn, DATABASE } from '../database/data-folder.ts'
import { isStored } from '../database/stored-collections.ts'
import { syncFolder } from '../hnsw/graph-file.ts'
import { checkDatabase } from './check-database.ts'
import { readRecords, writeRecords } from './copy-records.ts'
import { checkAborted, type Digest, settled } from './durable-files.ts'
import { MANIFEST, type Manifest, manifestText, readManifest } from './manifest.ts'
import { type Snapshot, takeSnapshot } from './snapshot.ts'
import { verifyFiles } from './verify-backup.ts'

/** Backups in the making; no backup's name begins so. */
const UNFINISHED = '.unfinished-'

export interface MakeBackup {
  dataDir: string
  /** Made if missing; what is unfinished in it is removed, so it belongs to one data folder. */
  backupDir: string
  name: string
}

/**
 * Makes a backup of all collections of a data folder that this process holds, while it is written to and searched. It is
 * made under another name, verified, and waits for the disk; then it gets its own in one step.
 *
 * @throws ServiceError INVALID_INPUT (there is one of this name), STORE_UNUSABLE, ABORTED; what SQLite or the file system
 *   says. Nothing is left behind.
 */
export async function makeBackup(
  { dataDir, backupDir, name }: MakeBackup,
  signal?: AbortSignal,
): Promise<Manifest> {
  const draft = join(backupDir, `${UNFINISHED}${name}`)
  const snapshots: Snapshot[] = []
  try {
    const createdAt = new Date().toISOString()
    // Before the documents: what a job says it has stored is there, and so is a collection that an alias names.
    const read = await readRecords(dataDir)
    for (const collection of collectionsIn(dataDir)) {
      try {
        snapshots.push(await takeSnapshot(dataDir, collection))
      } catch (error) {
        // One that was dropped meanwhile is not in the backup.
        if (isStored(dataDir, collection)) throw error
      }
    }
    if (snapshots.length === 0) throw new ServiceError('STORE_UNUSABLE', 'The data folder holds no database.')
    await mkdir(backupDir, { recursive: true })
    await removeUnfinished(backupDir)
    await checkRoom(backupDir, snapshots)
    const collections: Manifest['collections'] = []
    for (const snapshot of snapshots) collections.push(await copyCollection(draft, snapshot, signal))
    const records = await writeRecords(draft, read)
    const manifest = { name, createdAt, collections, ...(records.length > 0 && { records }) }
    await writeFile(join(draft, MANIFEST), manifestText(manifest), { flush: true })
    await verifyFiles(draft, await readManifest(draft), signal)
    syncTree(draft, collections)
    checkAborted(signal)
    await publish(draft, join(backupDir, name))
    syncFolder(backupDir)
    return await readManifest(join(backupDir, name))
  } finally {
    for (const snapshot of snapshots) await snapshot.close()
    await rm(draft, { recursive: true, force: true })
  }
}

/** What a process that was killed left. */
export async function removeUnfinished(backupDir: string): Promise<void> {
  for (const name of await readdir(backupDir).catch(() => [])) {
    if (name.startsWith(UNFINISHED)) await rm(join(backupDir, name), { recursive: true, force: true })
  }
}

async function checkRoom(backupDir: string, snapshots: readonly Snapshot[]): Promise<void> {
  const needed = snapshots.reduce((sum, { bytes }) => sum + bytes, 0)
  const { bavail, bsize } = await statfs(backupDir)
  if (needed <= bavail * bsize) return
  const message = `The backup needs ${needed} bytes, and the disk of the backup folder has ${bavail * bsize} free. Delete older backups, or give it another disk (BACKUP_DIR).`
  throw new ServiceError('STORE_UNUSABLE', message, { needed, free: bavail * bsize })
}

async function copyCollection(
  draft: string,
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): Promise<Manifest['collections'][number]> {
  const { collection } = snapshot
  const folder = collectionFolder(draft, collection)
  await mkdir(folder, { recursive: true })
  const database = join(folder, DATABASE)
  await snapshot.copyDatabase(database, signal)
  const db = connect(database, { readonly: true })
  const facts = await checkDatabase(db, damagedSource, signal).finally(() => db.close())
  const inside = collection === DEFAULT_COLLECTION ? '' : `collections/${collection}/`
  const listed = (name: string, digest: Digest) => ({ path: inside + name, ...digest })
  const files = [listed(DATABASE, await settled(database, signal))]
  for (const { name, copy } of snapshot.graph) {
    files.push(listed(name, await copy(join(folder, name), signal)))
  }
  return { name: collection, ...facts, files }
}

function damagedSource(problem: string): ServiceError {
  return new ServiceError(
    'STORE_UNUSABLE',
    `The stored data is damaged (${problem}), so no backup was made of it. Repair it first, or restore an older backup.`,
  )
}

function syncTree(draft: string, collections: Manifest['collections']): void {
  for (const { name } of collections) {
    const folder = collectionFolder(draft, name)
    syncFolder(folder)
    if (folder !== draft) syncFolder(dirname(folder))
  }
  syncFolder(draft)
}

async function publish(draft: string, folder: string): Promise<void> {
  try {
    await rename(draft, folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') throw error
    throw new ServiceError('INVALID_INPUT', 'There is a backup of this name already; give it another name.', {
      field: 'name',
    })
  }
}
