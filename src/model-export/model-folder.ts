import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { ServiceError } from '../errors.ts'

/**
 * Fills a folder that appears whole or not at all: `fill` writes to a sibling, which takes the name when all is on
 * disk. What stood there before is kept until then.
 * @throws ServiceError INVALID_INPUT when the folder exists and `overwrite` is not set
 */
export async function writeFolderAtomically(
  out: string,
  overwrite: boolean,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const target = resolve(out)
  const exists = await isThere(target)
  if (exists && !overwrite) {
    throw new ServiceError(
      'INVALID_INPUT',
      `${out} exists already; choose another folder or ask to overwrite it.`,
    )
  }
  const partial = sibling(target, 'partial')
  await mkdir(dirname(target), { recursive: true })
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
    throw error
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

function sibling(target: string, purpose: string): string {
  return join(dirname(target), `.${basename(target)}.${purpose}-${process.pid}`)
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
