import { statfs } from 'node:fs/promises'
import { ServiceError } from '../../../errors.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** A failed write, told for people; what is already on disk stays, so that the pull can go on later. */
export function diskFault(error: unknown, what: string): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code !== undefined && FULL.has(code)) {
    const message = `The disk is full (${code}); make room and run the same command again: it goes on where it stopped.`
    return new ServiceError('UNAVAILABLE', message, {}, error)
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new ServiceError('UNAVAILABLE', `${what} cannot be written (${code}).`, {}, error)
  }
  return error
}

/**
 * Refuses before the first byte what cannot fit.
 * @throws ServiceError UNAVAILABLE
 */
export async function checkRoom(folder: string, bytesNeeded: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (bytesNeeded <= free) return
  const message = `${gigabytes(bytesNeeded)} are still to be downloaded and ${folder} has ${gigabytes(free)} free; make room, or choose another folder (--checkpoint FOLDER).`
  throw new ServiceError('UNAVAILABLE', message)
}

function gigabytes(bytes: number): string {
  return bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}
