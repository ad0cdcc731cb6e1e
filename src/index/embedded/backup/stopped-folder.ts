import type { Backup } from '../../backups.ts'
import { FolderLock } from '../database/folder-lock.ts'
import { backupFault } from './backup-fault.ts'
import { backupNameAt, checkBackupName } from './backup-name.ts'
import { finishRestore } from './finish-restore.ts'
import { makeBackup } from './make-backup.ts'
import { summaryOf } from './manifest.ts'

/**
 * Makes a backup of a data folder that no process uses; the folder stays in the format it is in.
 * @throws ServiceError STORE_UNUSABLE (in use, damaged, no room), INVALID_INPUT (the name), ABORTED
 */
export async function backUpStopped(
  call: { dataDir: string; backupDir: string; name?: string | undefined },
  signal?: AbortSignal,
): Promise<Backup> {
  const { dataDir, backupDir, name = backupNameAt(new Date()) } = call
  checkBackupName(name)
  const lock = new FolderLock(dataDir)
  try {
    finishRestore(dataDir)
    return summaryOf(await makeBackup({ dataDir, backupDir, name }, signal))
  } catch (error) {
    throw backupFault(error)
  } finally {
    lock.release()
  }
}
