import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import type { CollectionSettings } from '../../collection-settings.ts'
import type { CollectionIdentity } from '../../index-engine.ts'
import { hasGraph, syncFolder } from '../hnsw/graph-file.ts'
import { CommitCount, everCommitted } from '../integrity/commit-count.ts'
import { checkStructure } from '../integrity/structure.ts'
import { isAboutWords } from '../lexical/words-damage.ts'
import type { EngineNotice } from '../notice.ts'
import { connect, connectForCopy, limitPages } from './connection.ts'
import { DATABASE } from './data-folder.ts'
import { LiveConnection } from './live-connection.ts'
import type { MigrationProgress } from './migrations/migrate.ts'
import { isCurrent, openSchema, readSettings } from './schema.ts'

/** Databases up to this size are checked page by page before they are used (about a third of a second). */
const CHECKED_AT_START_BYTES_MAX = 64 * 1024 * 1024

export interface OpenFiles {
  /** The one connection that writes. */
  db: LiveConnection
  /** Sees what is committed, never a write in progress. */
  reader: LiveConnection
  commits: CommitCount
  /** The collection's own. */
  settings: CollectionSettings
  /** Whether SQLite has checked the pages of the file, or has just made them. */
  checked: boolean
  /** What SQLite found wrong with the pages of the file; undefined where it found nothing, or did not look. */
  problem: string | undefined
  /** Whether SQLite found the index of words damaged. */
  wordsDamaged: boolean
  /** Closes both connections, does `work` with the file, and opens them again. */
  exchange(work: () => void): void
  /** Closes all of them. */
  release(): void
}

export interface OpenFilesOptions {
  /** The collection's own folder; made if missing. */
  folder: string
  identity: CollectionIdentity
  /** Of a collection that is created now. */
  settings: CollectionSettings
  /** 0: no limit. */
  databaseBytesMax: number
  onMigration: (progress: MigrationProgress) => void
  notice: (notice: EngineNotice) => void
}

/** @throws ServiceError STORE_UNUSABLE, or what SQLite throws */
export function openFiles(options: OpenFilesOptions): OpenFiles {
  const { folder, identity, settings, databaseBytesMax, onMigration, notice } = options
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
    const small = !fresh && statSync(file).size <= CHECKED_AT_START_BYTES_MAX
    const complaints = small ? checkStructure(db, { quick: true }) : []
    const problem = complaints.find((complaint) => !isAboutWords(complaint))
    // Tables that may not be read are not converted.
    if (problem !== undefined && !isCurrent(db)) throw damaged(folder, problem)
    const created = openSchema(db, folder, { identity, settings, onMigration })
    if (created) {
      // The tables are then there even where the log is lost.
      db.pragma('wal_checkpoint(TRUNCATE)')
      syncFolder(folder)
    }
    const own = readSettings(db, folder)
    db.close()
    closers.pop()
    const live = connectBoth(file, databaseBytesMax)
    closers.push(() => live.close())
    const commits = new CommitCount(folder, live.db.current, notice)
    closers.push(() => commits.close())
    const { reader, exchange } = live
    return {
      db: live.db,
      reader,
      commits,
      settings: own,
      checked: fresh || small,
      problem,
      wordsDamaged: complaints.some(isAboutWords),
      exchange,
      release,
    }
  } catch (error) {
    release()
    throw error
  }
}

/** An empty collection in a folder of its own, made if missing; one file, and on the disk. */
export function createDatabase(
  folder: string,
  { identity, settings }: Pick<OpenFilesOptions, 'identity' | 'settings'>,
): void {
  makeFolder(folder)
  const file = join(folder, DATABASE)
  // Nobody has it yet, so that it need not be whole before its end.
  const db = connectForCopy(file)
  try {
    openSchema(db, folder, { identity, settings, onMigration() {} })
  } finally {
    db.close()
  }
  const fd = openSync(file, 'r+')
  fsyncSync(fd)
  closeSync(fd)
  syncFolder(folder)
}

/** Frames in the log, and how many of them are in the file too. */
interface Checkpoint {
  log: number
  checkpointed: number
}

/** The two connections of a collection to its database. */
function connectBoth(file: string, databaseBytesMax: number) {
  const connectWriter = () => {
    const db = connect(file)
    limitPages(db, { bytesMax: databaseBytesMax })
    return db
  }
  const db = new LiveConnection(connectWriter())
  const reader = new LiveConnection(connect(file, { readonly: true }))
  // The last connection to close moves the log into the file.
  const close = () => {
    reader.current.close()
    db.current.close()
  }
  const exchange = (work: () => void) => {
    const [{ log, checkpointed }] = db.current.pragma('wal_checkpoint(PASSIVE)') as [Checkpoint]
    if (log !== checkpointed) throw new ServiceError('STORE_UNUSABLE', 'its log is in use')
    close()
    try {
      // All of it is in the file; a connection that still reads keeps the log from going with the last writer.
      for (const suffix of ['-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
      work()
    } finally {
      db.replace(connectWriter())
      reader.replace(connect(file, { readonly: true }))
    }
  }
  return { db, reader, close, exchange }
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
    `The database in ${folder} is damaged (${problem}). Run \`llara-serve verify --repair\`, or restore a backup.`,
  )
}
