import { rename, rm, statfs, writeFile } from 'node:fs/promises'
import { byteSize } from '../cli/byte-size.ts'
import { ToolError } from '../cli/tool-error.ts'

/** No room on the disk, in the quota, or below the size limit of a process. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const REFUSED = new Set(['EACCES', 'EPERM', 'EROFS'])

/** What is written, and what the user can do where the disk has no room for it. */
export interface Writing {
  /** File or folder. */
  place: string
  /** A sentence. */
  advice: string
}

/**
 * Refuses before the first byte what cannot fit on the disk of an existing folder.
 * @param what completes "... needs 3.4 GB", such as `The export`
 * @throws ToolError DISK_FULL with `details.needed` and `details.free`, in bytes
 */
export async function checkRoom(folder: string, needed: number, what: string, advice: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (needed <= free) return
  const message = `The disk is too full: ${what} needs ${byteSize(needed)}, and ${folder} has ${byteSize(free)} free. ${advice}`
  throw new ToolError('DISK_FULL', message, { needed, free })
}

/** A failed write as a ToolError, DISK_FULL or NOT_WRITABLE, where the disk is the cause; anything else as it was. */
export function diskFault(error: unknown, { place, advice }: Writing): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code !== undefined && FULL.has(code)) {
    return new ToolError('DISK_FULL', `The disk is full (${code}), writing ${place}. ${advice}`, {}, error)
  }
  if (code !== undefined && REFUSED.has(code)) {
    const message = `${place} cannot be written (${code}): check who may write there.`
    return new ToolError('NOT_WRITABLE', message, {}, error)
  }
  return error
}

/**
 * Replaces a text file in one step: a reader finds the old text or the new one, whole.
 * @throws ToolError DISK_FULL, NOT_WRITABLE; what the file system says for anything else
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.new`
  try {
    await writeFile(draft, text)
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw diskFault(error, { place: path, advice: 'Make room and try again.' })
  }
}
