import { ServiceError } from '../../../errors.ts'

/** A folder's name: no other path can be written with these letters. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/

/** @throws ServiceError INVALID_INPUT */
export function checkBackupName(name: string): void {
  if (NAME.test(name)) return
  throw new ServiceError(
    'INVALID_INPUT',
    "That cannot be a backup's name: use 1 to 64 of a-z, 0-9, point, _ and -, a letter or digit first.",
    { field: 'name' },
  )
}

export function isBackupName(name: string): boolean {
  return NAME.test(name)
}

/** `2026-01-31t12-30-05.123z` */
export function backupNameAt(time: Date): string {
  return time.toISOString().toLowerCase().replaceAll(':', '-')
}
