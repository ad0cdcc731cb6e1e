import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ToolError } from '../../../cli/tool-error.ts'
import { replaceFile } from '../../disk.ts'
import type { RemoteFile } from './hub-client.ts'

const RECORD = 'pull.json'

/** What to do when a pull breaks off. */
export const RESUMED = 'Make room and run the same command again: it continues where it stopped.'

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

/** @throws ToolError INPUT_UNUSABLE when the file is there and is not a record */
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
    // Not JSON: the same fault as below.
  }
  const message = `${join(folder, RECORD)} is damaged or was not written by a pull. Delete the folder or choose another one (--checkpoint FOLDER).`
  throw new ToolError('INPUT_UNUSABLE', message)
}

/** Replaces the record in one step. */
export function writeRecord(folder: string, record: PullRecord): Promise<void> {
  return replaceFile(join(folder, RECORD), `${JSON.stringify(record, null, 2)}\n`)
}
