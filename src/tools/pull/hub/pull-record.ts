import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import { diskFault } from './disk.ts'
import type { RemoteFile } from './hub-client.ts'

const RECORD = 'pull.json'

/** pull.json: what a checkpoint folder holds and where it came from. */
export interface PullRecord {
  format: 1
  repository: string
  /** As it was asked for. */
  revision: string
  /** What the revision was; every file is of this commit. */
  commit: string
  files: RemoteFile[]
  /** All files are there and have their checksums. */
  complete: boolean
}

/** @throws ServiceError INVALID_INPUT when the file is there and is not a record */
export async function readRecord(folder: string): Promise<PullRecord | undefined> {
  let text: string
  try {
    text = await readFile(join(folder, RECORD), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const record = JSON.parse(text) as PullRecord
    if (record.format === 1 && typeof record.repository === 'string' && Array.isArray(record.files))
      return record
  } catch {
    // Told below.
  }
  const message = `${join(folder, RECORD)} is not a pull's record; delete the folder or choose another one.`
  throw new ServiceError('INVALID_INPUT', message)
}

/** Replaces the record in one step. */
export async function writeRecord(folder: string, record: PullRecord): Promise<void> {
  const path = join(folder, RECORD)
  try {
    await writeFile(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`)
    await rename(`${path}.new`, path)
  } catch (error) {
    throw diskFault(error, path)
  }
}
