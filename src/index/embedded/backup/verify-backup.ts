import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, storeError } from '../database/connection.ts'
import { DATABASE } from '../database/data-folder.ts'
import { checkDatabase } from './check-database.ts'
import { digestOf } from './durable-files.ts'
import { damagedBackup, filesOf, type Manifest } from './manifest.ts'

/** Holds every file against the manifest. @throws ServiceError STORE_UNUSABLE, ABORTED */
export async function verifyFiles(folder: string, manifest: Manifest, signal?: AbortSignal): Promise<void> {
  for (const { path, bytes, sha256 } of filesOf(manifest)) {
    const file = await open(join(folder, path), 'r').catch(() => undefined)
    if (!file) throw damagedBackup(`${path} is missing or cannot be read`)
    try {
      const found = await digestOf(file, signal)
      if (found.bytes !== bytes || found.sha256 !== sha256)
        throw damagedBackup(`${path} is not as it was written`)
    } finally {
      await file.close()
    }
  }
}

/**
 * Reads a backup from end to end: its files against the manifest, then what is in them.
 * @throws ServiceError STORE_UNUSABLE, ABORTED
 */
export async function verifyBackup(folder: string, manifest: Manifest, signal?: AbortSignal): Promise<void> {
  await verifyFiles(folder, manifest, signal)
  for (const { files, documents, passages } of manifest.collections) {
    const database = files.find(({ path }) => path.endsWith(DATABASE))
    if (!database) throw damagedBackup('a collection has no database')
    try {
      const db = connect(join(folder, database.path), { readonly: true })
      const facts = await checkDatabase(db, damagedBackup, signal).finally(() => db.close())
      if (facts.documents !== documents || facts.passages !== passages) {
        throw damagedBackup('it does not hold as many documents as it says')
      }
    } catch (error) {
      throw storeError(error)
    }
  }
}
