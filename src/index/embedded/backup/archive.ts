import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { create, extract, list, type ReadEntry } from 'tar'
import type { Digest } from './durable-files.ts'
import { damagedBackup, filesOf, MANIFEST, type Manifest, parseManifest } from './manifest.ts'

/** More than any manifest has: about half a million files. */
const MANIFEST_BYTES_MAX = 64 * 1024 * 1024

/** A backup's folder as a tar archive: its manifest, then its files. */
export function archiveOf(folder: string, manifest: Manifest): Readable {
  const paths = filesOf(manifest).map(({ path }) => path)
  const options = { cwd: folder, portable: true, strict: true, noDirRecurse: true }
  return Readable.from(create(options, [MANIFEST, ...paths]), { objectMode: false })
}

/** Reads a backup's tar archive and holds every file in it against its manifest. @throws ServiceError STORE_UNUSABLE */
export async function verifyArchive(file: string): Promise<Manifest> {
  const digests = new Map<string, Digest>()
  const text: Buffer[] = []
  const onReadEntry = (entry: ReadEntry) => {
    const hash = createHash('sha256')
    let bytes = 0
    entry.on('data', (chunk: Buffer) => {
      hash.update(chunk)
      bytes += chunk.length
      if (entry.path === MANIFEST && bytes <= MANIFEST_BYTES_MAX) text.push(chunk)
    })
    entry.on('end', () => digests.set(entry.path, { bytes, sha256: hash.digest('hex') }))
  }
  await readable(() => list({ file, strict: true, onReadEntry }))
  const manifest = parseManifest(Buffer.concat(text).toString('utf8'))
  for (const { path, bytes, sha256 } of filesOf(manifest)) {
    const found = digests.get(path)
    if (found?.bytes !== bytes || found.sha256 !== sha256)
      throw damagedBackup(`${path} is not as it was written`)
  }
  return manifest
}

/** Files and folders only, and none outside `folder`: the archive may come from anywhere. */
export async function unpack(file: string, folder: string): Promise<void> {
  await readable(() =>
    extract({
      file,
      cwd: folder,
      strict: true,
      filter: (_path, entry) => 'type' in entry && (entry.type === 'File' || entry.type === 'Directory'),
    }),
  )
}

async function readable(read: () => Promise<void>): Promise<void> {
  try {
    await read()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== undefined && /^E[A-Z]+$/.test(code)) throw error
    throw damagedBackup('the archive cannot be read to its end')
  }
}
