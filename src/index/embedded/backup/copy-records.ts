import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { RECORDS } from '../database/data-folder.ts'
import { syncFolder } from '../hnsw/graph-file.ts'
import { recordsIn } from '../records/record-files.ts'
import { parseRecord } from '../records/record-text.ts'
import { digestOfText, writeNew } from './durable-files.ts'
import type { BackupFile } from './manifest.ts'

/** A record as it was read: its path in the data folder, with `/`, and its text. */
export interface ReadRecord {
  path: string
  text: string
}

/** Every record of a data folder. @throws ServiceError STORE_UNUSABLE for a damaged one */
export async function readRecords(dataDir: string): Promise<ReadRecord[]> {
  const records: ReadRecord[] = []
  for (const place of recordsIn(dataDir)) {
    const path = `${RECORDS}/${place.kind}/${place.name}.json`
    const text = await readFile(join(dataDir, path), 'utf8').catch((error: NodeJS.ErrnoException) => {
      // Removed since its folder was read.
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (text === undefined) continue
    parseRecord(place, text)
    records.push({ path, text })
  }
  return records
}

/** Writes them below a folder and waits for the disk. */
export async function writeRecords(folder: string, records: readonly ReadRecord[]): Promise<BackupFile[]> {
  const folders = new Set<string>()
  for (const { path, text } of records) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeNew(file, text)
    folders.add(dirname(file))
  }
  if (records.length > 0) folders.add(join(folder, RECORDS))
  for (const each of folders) syncFolder(each)
  return records.map(({ path, text }) => ({ path, ...digestOfText(text) }))
}
