import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { byteSize } from '../../../cli/byte-size.ts'
import { ToolError } from '../../../cli/tool-error.ts'
import { checkRoom, diskFault } from '../../disk.ts'
import { clearLeftovers, sibling } from './leftovers.ts'

/** Room kept beyond the weights: the model without them, tokenizer, rounding. */
const SLACK_BYTES = 16 * 1024 * 1024

interface FolderOptions {
  /** Replace the folder if it exists. */
  overwrite: boolean
  /** About how many bytes will be written at most at one time. */
  bytes: number
  /** Reads what was written once more, when all of it is on disk; where it throws, nothing takes the name. */
  check?: (folder: string) => Promise<void>
}

/**
 * Fills a folder that appears whole or not at all: `fill` writes to a sibling, which takes the name when all is on
 * disk. What stood there before is kept until then. What an earlier run left when it was killed is cleared first.
 * @throws ToolError OUTPUT_EXISTS when the folder exists and `overwrite` is not set, DISK_FULL beforehand or on the way
 */
export async function writeFolderAtomically(
  out: string,
  { overwrite, bytes, check }: FolderOptions,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const target = resolve(out)
  await clearLeftovers(target)
  const exists = await isThere(target)
  if (exists && !overwrite) {
    throw new ToolError(
      'OUTPUT_EXISTS',
      `${out} exists already. Choose another folder (--out FOLDER), or replace it with --overwrite.`,
    )
  }
  const needed = bytes + SLACK_BYTES
  const partial = sibling(target, 'partial')
  await mkdir(dirname(target), { recursive: true })
  await checkRoom(dirname(target), needed, 'The export', 'Make room or choose another disk.')
  await mkdir(partial)
  try {
    await fill(partial)
    for (const name of await readdir(partial)) await flush(join(partial, name))
    await flush(partial)
    await check?.(partial)
    const old = sibling(target, 'old')
    if (exists) await rename(target, old)
    await rename(partial, target)
    await flush(dirname(target))
    await rm(old, { recursive: true, force: true })
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    const advice = `Nothing was left behind. Make room (the export needs ${byteSize(needed)}) or choose another disk.`
    throw diskFault(error, { place: dirname(target), advice })
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
