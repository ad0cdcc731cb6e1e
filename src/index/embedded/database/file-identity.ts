import { statSync } from 'node:fs'
import { ServiceError } from '../../../errors.ts'

/** Which file stands at a path now, through symbolic links; undefined where there is none. */
export function fileIdentity(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found && `${found.dev}:${found.ino}`
}

/**
 * Remembers the files at these paths.
 *
 * @returns throws ServiceError STORE_UNUSABLE unless they are there still. An open file stays usable after it was removed
 *   or moved, and what is written to it then is lost without a fault.
 */
export function sameFiles(paths: readonly string[]): () => void {
  const known = new Map(paths.map((path) => [path, fileIdentity(path)]))
  return () => {
    const same = ([path, identity]: [string, string | undefined]) => {
      return identity === undefined || fileIdentityOrNone(path) === identity
    }
    if ([...known].every(same)) return
    throw new ServiceError(
      'STORE_UNUSABLE',
      'Files of the database were removed or replaced while the service runs, so nothing can be stored. Put the data ' +
        'folder back as it was, or restore a backup, and restart the service.',
    )
  }
}

/** A folder that cannot be entered any more counts as gone. */
function fileIdentityOrNone(path: string): string | undefined {
  try {
    return fileIdentity(path)
  } catch {
    return undefined
  }
}
