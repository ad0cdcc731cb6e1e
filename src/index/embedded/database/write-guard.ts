import { join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import { DATABASE } from './data-folder.ts'
import { sameFiles } from './file-identity.ts'
import type { FolderLock } from './folder-lock.ts'
import type { LiveConnection } from './live-connection.ts'

/**
 * What must hold for a commit to last: the files written to are those in the folder, the folder is this process's, and
 * nobody else has written to the database. Cheap enough to ask before every commit.
 *
 * @param db the one connection that writes; when another takes its place, what counts is what it finds
 * @returns throws ServiceError STORE_UNUSABLE unless all of it holds
 */
export function writeGuard(db: LiveConnection, folder: string, lock: FolderLock): () => void {
  const file = join(folder, DATABASE)
  const remember = () => {
    const { current } = db
    const version = () => current.pragma('data_version', { simple: true })
    return { current, version, known: version(), checkFiles: sameFiles([file, `${file}-wal`]) }
  }
  let opened = remember()
  return () => {
    if (opened.current !== db.current) opened = remember()
    opened.checkFiles()
    lock.check()
    if (opened.version() === opened.known) return
    throw new ServiceError(
      'STORE_UNUSABLE',
      'Another program has written to the database while the service runs, so nothing can be stored. Stop that program ' +
        'and restart the service.',
    )
  }
}
