import { join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import type { Connection } from './connection.ts'
import { DATABASE } from './data-folder.ts'
import { sameFiles } from './file-identity.ts'
import type { FolderLock } from './folder-lock.ts'

/**
 * What must hold for a commit to last: the files written to are those in the folder, the folder is this process's, and
 * nobody else has written to the database. Cheap enough to ask before every commit.
 *
 * @param db the one connection that writes
 * @returns throws ServiceError STORE_UNUSABLE unless all of it holds
 */
export function writeGuard(db: Connection, folder: string, lock: FolderLock): () => void {
  const file = join(folder, DATABASE)
  const checkFiles = sameFiles([file, `${file}-wal`])
  const version = () => db.pragma('data_version', { simple: true })
  const known = version()
  return () => {
    checkFiles()
    lock.check()
    if (version() === known) return
    throw new ServiceError(
      'STORE_UNUSABLE',
      'Another program has written to the database while the service runs, so nothing can be stored. Stop that program ' +
        'and restart the service.',
    )
  }
}
