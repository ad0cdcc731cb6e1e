import Database from 'better-sqlite3'
import { ServiceError } from '../../../errors.ts'

export type Connection = Database.Database

const PAGE_BYTES = 8192

/**
 * A connection to a collection's database: WAL, and every commit waits for the disk (synchronous=FULL), so that what was
 * acknowledged survives power loss. https://www.sqlite.org/pragma.html#pragma_synchronous
 */
export function connect(file: string, options: { readonly?: boolean } = {}): Connection {
  const db = new Database(file, { readonly: options.readonly ?? false, timeout: 5_000 })
  try {
    if (!options.readonly) {
      db.pragma(`page_size = ${PAGE_BYTES}`)
      db.pragma('journal_mode = WAL')
      db.pragma('synchronous = FULL')
      db.pragma(`journal_size_limit = ${64 * 1024 * 1024}`)
    }
    db.pragma('cell_size_check = ON')
    db.pragma('trusted_schema = OFF')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Refuses writes that would make the file larger than this. */
export function limitBytes(db: Connection, bytesMax: number): void {
  db.pragma(`max_page_count = ${Math.ceil(bytesMax / PAGE_BYTES)}`)
}

/**
 * Holds the folder for this process: an exclusive SQLite lock on an otherwise empty file. The system drops it when the
 * process ends, however it ends, so nothing stale is ever left to clean.
 *
 * @returns the release
 * @throws ServiceError STORE_UNUSABLE when another holder is alive
 */
export function lock(file: string, dataDir: string): () => void {
  const db = new Database(file, { timeout: 0 })
  try {
    db.pragma('journal_mode = MEMORY')
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if ((error as { code?: string }).code === 'SQLITE_BUSY') {
      throw new ServiceError(
        'STORE_UNUSABLE',
        `Another process is using ${dataDir}. Stop it, or use another DATA_DIR.`,
      )
    }
    throw storeError(error)
  }
  return () => db.close()
}

/**
 * What SQLite threw, as STORE_UNUSABLE with what to do about it; anything else as it is. The message names no path:
 * callers over HTTP read it.
 */
export function storeError(error: unknown): unknown {
  if (!(error instanceof Database.SqliteError)) return error
  const { code } = error
  const say = (message: string) => new ServiceError('STORE_UNUSABLE', message, { sqlite: code }, error)
  if (code.startsWith('SQLITE_FULL')) {
    return say(
      'The disk is full, or the database has reached DATABASE_BYTES_MAX; nothing of this write was kept. Delete documents, or free some space.',
    )
  }
  if (code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB')) {
    return say('The database is damaged. Restore it from a backup, or ingest into an empty DATA_DIR.')
  }
  if (/^SQLITE_(IOERR|CANTOPEN|READONLY|PERM|AUTH|BUSY|LOCKED)/.test(code)) {
    return say(`The database cannot be read or written (${code}). Check the disk and its permissions.`)
  }
  return error
}
