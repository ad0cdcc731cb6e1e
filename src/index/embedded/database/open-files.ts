import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import type { CollectionIdentity } from '../../index-engine.ts'
import { hasGraph, syncFolder } from '../hnsw/graph-file.ts'
import { CommitCount, everCommitted } from '../integrity/commit-count.ts'
import type { EngineNotice } from '../notice.ts'
import { type Connection, connect, limitBytes } from './connection.ts'
import { DATABASE } from './data-folder.ts'
import type { MigrationProgress } from './migrations/migrate.ts'
import { openSchema } from './schema.ts'

/** Databases up to this size are checked page by page at every start (about a third of a second). */
const QUICK_CHECK_BYTES_MAX = 64 * 1024 * 1024

export interface OpenFiles {
  /** The one connection that writes. */
  db: Connection
  /** Sees what is committed, never a write in progress. */
  reader: Connection
  commits: CommitCount
  /** Closes all of them. */
  release(): void
}

export interface OpenFilesOptions {
  /** The collection's own folder; made if missing. */
  folder: string
  identity: CollectionIdentity
  /** 0: no limit. */
  databaseBytesMax: number
  onMigration: (progress: MigrationProgress) => void
  notice: (notice: EngineNotice) => void
}

/** @throws ServiceError STORE_UNUSABLE, or what SQLite throws */
export function openFiles(options: OpenFilesOptions): OpenFiles {
  const { folder, identity, databaseBytesMax, onMigration, notice } = options
  const file = join(folder, DATABASE)
  makeFolder(folder)
  const closers: (() => void)[] = []
  const release = () => {
    for (const close of closers.splice(0).reverse()) close()
  }
  try {
    const written = hasGraph(folder) || everCommitted(folder)
    const fresh = !existsSync(file) || statSync(file).size === 0
    if (fresh && written) throw emptied(folder)
    const db = connect(file)
    closers.push(() => db.close())
    if (written && db.pragma('schema_version', { simple: true }) === 0) throw emptied(folder)
    if (!fresh && statSync(file).size <= QUICK_CHECK_BYTES_MAX) {
      // What a row holds is checked when it is read.
      db.pragma('ignore_check_constraints = ON')
      const problems = db.pragma('quick_check(1)', { simple: true })
      db.pragma('ignore_check_constraints = OFF')
      if (problems !== 'ok') throw damaged(folder, String(problems))
    }
    const created = openSchema(db, folder, identity, onMigration)
    if (created) {
      // The tables are then there even where the log is lost.
      db.pragma('wal_checkpoint(TRUNCATE)')
      syncFolder(folder)
    }
    if (databaseBytesMax > 0) limitBytes(db, databaseBytesMax)
    const reader = connect(file, { readonly: true })
    closers.push(() => reader.close())
    const commits = new CommitCount(folder, db, notice)
    closers.push(() => commits.close())
    return { db, reader, commits, release }
  } catch (error) {
    release()
    throw error
  }
}

function emptied(folder: string): ServiceError {
  return new ServiceError(
    'STORE_UNUSABLE',
    `${folder} has held documents, but its database ${DATABASE} is missing or empty. Restore it from a backup, or ` +
      'remove the folder to begin with an empty index.',
  )
}

/** @throws ServiceError STORE_UNUSABLE */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw new ServiceError(
      'STORE_UNUSABLE',
      `The folder ${folder} cannot be created. Check the path and its permissions.`,
      {},
      error,
    )
  }
}

export function damaged(folder: string, problem: string): ServiceError {
  return new ServiceError(
    'STORE_UNUSABLE',
    `The database in ${folder} is damaged (${problem}). Restore it from a backup, or ingest into an empty DATA_DIR.`,
  )
}
