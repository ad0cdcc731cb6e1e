import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import { hasGraph, syncFolder } from '../hnsw/graph-file.ts'
import type { WorkerData } from '../wire.ts'
import { type Connection, connect, lock } from './connection.ts'
import { openSchema } from './schema.ts'

const DATABASE = 'store.sqlite'
/** Databases up to this size are checked page by page at every start (about a third of a second). */
const QUICK_CHECK_BYTES_MAX = 64 * 1024 * 1024

export interface OpenFiles {
  /** The one connection that writes. */
  db: Connection
  /** Sees what is committed, never a write in progress. */
  reader: Connection
  /** Lets go of everything. */
  release(): void
}

/** @throws ServiceError STORE_UNUSABLE, or what SQLite throws */
export function openFiles(data: WorkerData): OpenFiles {
  const { dataDir } = data
  const file = join(dataDir, DATABASE)
  try {
    mkdirSync(dataDir, { recursive: true })
  } catch (error) {
    throw new ServiceError('STORE_UNUSABLE', `The folder ${dataDir} cannot be made or used.`, {}, error)
  }
  const closers = [lock(join(dataDir, 'lock.sqlite'), dataDir)]
  const release = () => {
    for (const close of closers.splice(0).reverse()) close()
  }
  try {
    if (hasGraph(dataDir) && (!existsSync(file) || statSync(file).size === 0)) {
      throw new ServiceError(
        'STORE_UNUSABLE',
        `${dataDir} holds a graph but its database ${DATABASE} is gone or empty. Restore it from a backup, or remove ` +
          'the folder to begin with an empty store.',
      )
    }
    const db = connect(file, { bytesMax: data.limits.databaseBytesMax })
    closers.push(() => db.close())
    const created = openSchema(db, dataDir, data)
    if (created) syncFolder(dataDir)
    if (!created && statSync(file).size <= QUICK_CHECK_BYTES_MAX) {
      const problems = db.pragma('quick_check(1)', { simple: true })
      if (problems !== 'ok') throw damaged(dataDir, String(problems))
    }
    const reader = connect(file, { readonly: true })
    closers.push(() => reader.close())
    return { db, reader, release }
  } catch (error) {
    release()
    throw error
  }
}

export function damaged(dataDir: string, problem: string): ServiceError {
  return new ServiceError(
    'STORE_UNUSABLE',
    `The database in ${dataDir} is damaged (${problem}). Restore it from a backup, or ingest into an empty DATA_DIR.`,
  )
}
