import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import { checkRoom, diskFault } from './disk-space.ts'
import { clearLeftovers, sibling } from './leftovers.ts'

export interface FolderOptions {
  /** Replace the folder if it exists. */
  overwrite: boolean
  /** About how many bytes will be written at most at one time. */
  bytes: number
}

/**
 * Fills a folder that appears whole or not at all: `fill` writes to a sibling, which takes the name when all is on
 * disk. What stood there before is kept until then. What an earlier run left when it was killed is cleared first.
 * @throws ServiceError INVALID_INPUT when the folder exists and `overwrite` is not set, UNAVAILABLE when the disk has
 *   no room, found beforehand or on the way
 */
export async function writeFolderAtomically(
  out: string,
  { overwrite, bytes }: FolderOptions,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const target = resolve(out)
  await clearLeftovers(target)
  const exists = await isThere(target)
  if (exists && !overwrite) {
    throw new ServiceError(
      'INVALID_INPUT',
      `${out} exists already; choose another folder or ask to overwrite it.`,
    )
  }
  const partial = sibling(target, 'partial')
  await mkdir(dirname(target), { recursive: true })
  await checkRoom(dirname(target), bytes)
  await mkdir(partial)
  try {
    await fill(partial)
    for (const name of await readdir(partial)) await flush(join(partial, name))
    await flush(partial)
    const old = sibling(target, 'old')
    if (exists) await rename(target, old)
    await rename(partial, target)
    await flush(dirname(target))
    await rm(old, { recursive: true, force: true })
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw await diskFault(error, dirname(target), bytes)
  }
}

export interface FileIdentity {
  bytes: number
  sha256: string
}

/** Size and sha256 (hex) of a file, read as a stream. */
export async function identify(path: string): Promise<FileIdentity> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return { bytes: (await stat(path)).size, sha256: hash.digest('hex') }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** Forces a file, or a folder's list of names, to disk. */
async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
