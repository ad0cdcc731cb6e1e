import { statfs } from 'node:fs/promises'
import { ServiceError } from '../../../errors.ts'

/** No room on the disk, in the quota, or below the size limit of a process. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** Room kept beyond the weights: graph, tokenizer, rounding. */
const SLACK_BYTES = 16 * 1024 * 1024

/** Free bytes of the disk a folder lies on, for those who are not root. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

/**
 * Refuses before the first byte what cannot fit.
 * @throws ServiceError UNAVAILABLE with `details.needed` and `details.free`, in bytes
 */
export async function checkRoom(folder: string, bytes: number): Promise<void> {
  const needed = bytes + SLACK_BYTES
  const free = await freeBytes(folder)
  if (free < needed) throw full(folder, needed, free)
}

/** A failed write told for people, where the disk is what failed; anything else as it was. */
export async function diskFault(error: unknown, folder: string, bytes: number): Promise<unknown> {
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined || !FULL.has(code)) return error
  return full(folder, bytes + SLACK_BYTES, await freeBytes(folder), error)
}

function full(folder: string, needed: number, free: number, cause?: unknown): ServiceError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  const found = cause === undefined ? 'There is not enough room' : `Writing failed for want of room (${code})`
  const message = `${found} in ${folder}: the export needs about ${megabytes(needed)}, ${megabytes(free)} are free. Nothing was left behind; make room or choose another disk.`
  return new ServiceError('UNAVAILABLE', message, { needed, free }, cause)
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`
}
