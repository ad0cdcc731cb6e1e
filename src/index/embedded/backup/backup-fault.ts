import { ServiceError } from '../../../errors.ts'
import { storeError } from '../database/connection.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'SQLITE_FULL'])

/** What went wrong with a backup or its folder, for whoever asked for it; the message names no path. */
export function backupFault(error: unknown): unknown {
  if (error instanceof ServiceError) return error
  const { code } = error as NodeJS.ErrnoException
  if (code !== undefined && FULL.has(code)) {
    const message =
      'The disk of the backup folder is full; nothing of the backup was kept. Delete older backups, or give it another disk (BACKUP_DIR).'
    return new ServiceError('STORE_UNUSABLE', message, {}, error)
  }
  if (code !== undefined && /^E[A-Z]+$/.test(code)) {
    const message = `The backup folder cannot be read or written (${code}). Check BACKUP_DIR and its permissions.`
    return new ServiceError('STORE_UNUSABLE', message, {}, error)
  }
  return storeError(error)
}
