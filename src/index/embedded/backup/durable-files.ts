import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ServiceError } from '../../../errors.ts'

const CHUNK_BYTES = 1024 * 1024

/** @throws ServiceError ABORTED */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ServiceError('ABORTED', 'The request was abandoned.')
}

/** Lets the thread see what has arrived. @throws ServiceError ABORTED */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await nextTurn()
  checkAborted(signal)
}

export interface Digest {
  bytes: number
  sha256: string
}

/**
 * Waits until a file is on the disk, and reads it back.
 * Never a database that this process has open: closing any handle of a file drops the process's locks on it.
 */
export async function settled(path: string, signal?: AbortSignal): Promise<Digest> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
    return await digestOf(file, signal)
  } finally {
    await file.close()
  }
}

/** Writes a new file and waits until it is on the disk. */
export async function writeNew(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

export function digestOfText(text: string): Digest {
  return { bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') }
}

/** Copies an open file to a new one, waits until that is on the disk, and says what was read. */
export async function copyOpen(source: FileHandle, path: string, signal?: AbortSignal): Promise<Digest> {
  const target = await open(path, 'wx')
  try {
    const digest = await digestOf(source, signal, async (chunk) => void (await target.writeFile(chunk)))
    await target.sync()
    return digest
  } finally {
    await target.close()
  }
}

export async function digestOf(
  file: FileHandle,
  signal?: AbortSignal,
  also?: (chunk: Buffer) => Promise<void>,
): Promise<Digest> {
  const hash = createHash('sha256')
  const buffer = Buffer.alloc(CHUNK_BYTES)
  let bytes = 0
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, bytes)
    if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') }
    checkAborted(signal)
    const chunk = buffer.subarray(0, bytesRead)
    hash.update(chunk)
    await also?.(chunk)
    bytes += bytesRead
  }
}
