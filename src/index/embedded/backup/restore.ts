import { mkdir, open, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import type { Backup } from '../../backups.ts'
import { collectionsIn } from '../database/data-folder.ts'
import { FolderLock } from '../database/folder-lock.ts'
import { syncFolder } from '../hnsw/graph-file.ts'
import { unpack } from './archive.ts'
import { backupNameAt } from './backup-name.ts'
import { copyOpen, settled } from './durable-files.ts'
import { commitRestore, draftOf, finishRestore } from './finish-restore.ts'
import { damagedBackup, filesOf, MANIFEST, readManifest, summaryOf } from './manifest.ts'
import { verifyBackup } from './verify-backup.ts'

export interface Restore {
  /** A backup: its folder, or the tar archive of one. */
  source: string
  /** Made if missing. */
  dataDir: string
  /** Whether documents that are there may be put aside. */
  replace: boolean
}

/**
 * Makes a data folder of a backup. The files are copied into the data folder, verified there, and then put in place: a
 * process that ends in the middle leaves the folder as it was, or restored, once a service or another restore opens it.
 *
 * @returns the backup, and the folder that what was there before is in
 * @throws ServiceError STORE_UNUSABLE where the backup is damaged, the folder is in use, or holds documents and `replace`
 *   is not given; ABORTED; what the file system says
 */
export async function restoreBackup(
  { source, dataDir, replace }: Restore,
  signal?: AbortSignal,
): Promise<{ backup: Backup; aside: string | undefined }> {
  const archive = (await stat(source)).isFile()
  // Before anything is made: a mistyped source is no reason for a new folder.
  const bytes = archive ? (await stat(source)).size : summaryOf(await readManifest(source)).bytes
  await mkdir(dataDir, { recursive: true })
  const lock = new FolderLock(dataDir)
  const draft = draftOf(dataDir)
  try {
    finishRestore(dataDir)
    const occupied = collectionsIn(dataDir).length > 0
    if (occupied && !replace) {
      const message = `${dataDir} holds a database already. Restore into an empty folder, or put what is there aside with --replace.`
      throw new ServiceError('STORE_UNUSABLE', message)
    }
    await checkRoom(dataDir, bytes)
    await mkdir(draft)
    if (archive) await unpack(source, draft)
    else await copyBackup(source, draft, signal)
    const manifest = await readManifest(draft)
    await verifyBackup(draft, manifest, signal)
    await settle(
      draft,
      filesOf(manifest).map(({ path }) => path),
      signal,
    )
    await rm(join(draft, MANIFEST))
    const aside = `replaced-${backupNameAt(new Date())}`
    commitRestore(dataDir, aside)
    finishRestore(dataDir)
    return { backup: summaryOf(manifest), aside: occupied ? join(dataDir, aside) : undefined }
  } catch (error) {
    finishRestore(dataDir)
    throw error
  } finally {
    lock.release()
  }
}

async function checkRoom(dataDir: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(dataDir)
  if (needed <= bavail * bsize) return
  const message = `The backup needs ${needed} bytes, and the disk of ${dataDir} has ${bavail * bsize} free. Make room, or restore into a folder on another disk.`
  throw new ServiceError('STORE_UNUSABLE', message, { needed, free: bavail * bsize })
}

async function copyBackup(source: string, draft: string, signal: AbortSignal | undefined): Promise<void> {
  const paths = filesOf(await readManifest(source)).map(({ path }) => path)
  for (const path of [MANIFEST, ...paths]) {
    const target = join(draft, path)
    await mkdir(dirname(target), { recursive: true })
    const file = await open(join(source, path), 'r').catch((cause) => {
      throw damagedBackup(`${path} is missing or cannot be read (${cause.code})`)
    })
    await copyOpen(file, target, signal).finally(() => file.close())
  }
}

async function settle(
  draft: string,
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const folders = new Set<string>()
  for (const path of paths) {
    await settled(join(draft, path), signal)
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) folders.add(folder)
  }
  for (const folder of folders) syncFolder(join(draft, folder))
}
