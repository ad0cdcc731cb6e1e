import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import type { Backup } from '../../backups.ts'

export const MANIFEST = 'backup.json'
const FORMAT = 1

export interface BackupFile {
  /** From the backup's folder, with `/`. */
  path: string
  bytes: number
  sha256: string
}

interface BackedUpCollection {
  name: string
  documents: number
  passages: number
  dimensions: number
  fingerprint: string
  /** Of the tables. */
  databaseFormat: number
  files: BackupFile[]
}

/** What stands beside the files of a backup, which lie as they do in a data folder. */
export interface Manifest {
  format: number
  name: string
  createdAt: string
  collections: BackedUpCollection[]
  /** Absent where there are none. */
  records?: BackupFile[]
}

/** Paths of files as a backup has them: nothing outside its folder can be named. */
const PATH =
  /^((collections\/[a-z0-9][a-z0-9_-]{0,63}\/)?(store\.sqlite|graph\.json|graph-[0-9a-f]{1,32}\.hnsw)|records\/[a-z0-9][a-z0-9_-]{0,63}\/[a-z0-9][a-z0-9_-]{0,127}\.json)$/

/** The manifest's text, with a checksum over itself. */
export function manifestText(manifest: Omit<Manifest, 'format'>): string {
  const whole: Manifest = { format: FORMAT, ...manifest }
  return `${JSON.stringify({ ...whole, sha256: digest(whole) }, null, 2)}\n`
}

/** @throws ServiceError STORE_UNUSABLE where there is none, or it is damaged or of a newer program */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, MANIFEST), 'utf8').catch((cause) => {
    const message = `This is no backup: its ${MANIFEST} cannot be read (${cause.code ?? 'unknown reason'}).`
    throw new ServiceError('STORE_UNUSABLE', message, {}, cause)
  })
  return parseManifest(text)
}

/** @throws ServiceError STORE_UNUSABLE */
export function parseManifest(text: string): Manifest {
  let parsed: Partial<Manifest & { sha256: string }> = {}
  try {
    parsed = JSON.parse(text)
  } catch {
    // Said below.
  }
  const { sha256, ...manifest } = parsed
  if (sha256 === undefined || sha256 !== digest(manifest)) {
    throw damagedBackup(`${MANIFEST} is not as it was written`)
  }
  if (manifest.format !== FORMAT) {
    const message = `The backup is of format ${manifest.format}; this program reads format ${FORMAT}. Use the program that made it.`
    throw new ServiceError('STORE_UNUSABLE', message)
  }
  const whole = manifest as Manifest
  for (const { path } of filesOf(whole)) {
    if (!PATH.test(path)) throw damagedBackup(`${MANIFEST} names a file that a backup does not have`)
  }
  return whole
}

export function filesOf({ collections, records = [] }: Manifest): BackupFile[] {
  return [...collections.flatMap(({ files }) => files), ...records]
}

/** What callers learn of a backup. */
export function summaryOf(manifest: Manifest): Backup {
  const { name, createdAt, collections } = manifest
  return {
    name,
    createdAt,
    bytes: filesOf(manifest).reduce((sum, { bytes }) => sum + bytes, 0),
    collections: collections.map(({ name, documents, passages }) => ({ name, documents, passages })),
  }
}

export function damagedBackup(problem: string): ServiceError {
  return new ServiceError('STORE_UNUSABLE', `The backup is damaged: ${problem}. Use another one.`)
}

function digest(manifest: object): string {
  return createHash('sha256').update(JSON.stringify(manifest)).digest('hex')
}
