import { statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { ServiceError } from '../../../errors.ts'

export type Connection = Database.Database
export type Statement = Database.Statement<unknown[]>

const PAGE_BYTES = 8192
/** SQLite's own limit. */
const PAGES_MAX = 0xffff_fffe
/** How long a connection waits for another's lock. */
const BUSY_MS = 5_000

interface ConnectOptions {
  readonly?: boolean
  /** Open also what SQLite would refuse as a whole: a file that was cut, or tables with a damaged description. */
  damaged?: boolean
}

/**
 * A connection to a collection's database: WAL, and every commit waits for the disk (synchronous=FULL), so that what was
 * acknowledged survives power loss. https://www.sqlite.org/pragma.html#pragma_synchronous
 */
export function connect(file: string, options: ConnectOptions = {}): Connection {
  const db = new Database(file, { readonly: options.readonly ?? false, timeout: BUSY_MS })
  try {
    if (options.damaged) {
      db.unsafeMode()
      db.pragma('writable_schema = ON')
    }
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

/** A new file that is written whole or thrown away: nothing is made durable on the way. */
export function connectForCopy(file: string): Connection {
  const db = new Database(file)
  db.pragma(`page_size = ${PAGE_BYTES}`)
  db.pragma('journal_mode = MEMORY')
  db.pragma('synchronous = OFF')
  return db
}

/** A database of its own that nobody else sees and that ends with the process. */
export function connectInMemory(): Connection {
  return new Database(':memory:')
}

/** Makes a database that nobody has open one file: without a log, until it is opened to be written to. */
export function settleJournal(file: string): void {
  const db = new Database(file)
  try {
    db.pragma('journal_mode = DELETE')
  } finally {
    db.close()
  }
}

/**
 * Refuses writes that would make the file larger than this: a number of bytes (0: no limit), or so many pages more than it
 * has now.
 */
export function limitPages(db: Connection, limit: { bytesMax: number } | { growth: number }): void {
  const pages =
    'growth' in limit
      ? Number(db.pragma('page_count', { simple: true })) + limit.growth
      : Math.ceil(limit.bytesMax / PAGE_BYTES) || PAGES_MAX
  db.pragma(`max_page_count = ${pages}`)
}

/** Moves the log into the database and gives its room back, as far as no reader needs it and there is room. */
export function emptyLog(db: Connection): void {
  db.pragma('busy_timeout = 0')
  try {
    db.pragma('wal_checkpoint(TRUNCATE)')
  } catch (error) {
    if (!isNoRoom(error) && !isBusy(error)) throw error
  } finally {
    db.pragma(`busy_timeout = ${BUSY_MS}`)
  }
}

/**
 * Opens a file, or makes it, and keeps every other process and connection out until it is closed.
 * @throws what SQLite throws, see `isBusy`
 */
export function connectAlone(file: string): Connection {
  const db = new Database(file, { timeout: 0 })
  try {
    db.pragma('journal_mode = MEMORY')
    // The lock stays through commits.
    db.pragma('locking_mode = EXCLUSIVE')
    db.exec('BEGIN EXCLUSIVE; COMMIT')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * Whether another process, of any version of this program, has a database open: each holds a shared lock on the file as
 * long as it does. Nothing is said of a file that is no database. What its log holds is moved into it.
 */
export function isOpenElsewhere(file: string): boolean {
  // SQLite would throw away the log of an empty file.
  if (statSync(file).size === 0) return false
  const db = new Database(file, { timeout: 1000 })
  try {
    db.pragma('locking_mode = EXCLUSIVE')
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
    return false
  } catch (error) {
    return isBusy(error)
  } finally {
    db.close()
  }
}

export function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')
}

/** Whether a write failed for want of room: a full disk, a quota, a limit of file sizes, DATABASE_BYTES_MAX. */
export function isNoRoom(error: unknown): boolean {
  const noRoom = /^SQLITE_(FULL|IOERR_(WRITE|SHMSIZE|TRUNCATE))/
  return error instanceof Database.SqliteError && noRoom.test(error.code)
}

/** Whether something was thrown because what is in the file cannot be: nothing that this program writes leads to it. */
export function isDamage(error: unknown): boolean {
  const damage = /^SQLITE_(CORRUPT|NOTADB|CONSTRAINT|MISMATCH|TOOBIG)/
  return error instanceof Database.SqliteError && damage.test(error.code)
}

/** Whether SQLite could make nothing of a statement: what it names is not there, or not as it should be. */
export function isRefused(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code === 'SQLITE_ERROR'
}

/** What was read; undefined where damage stood in the way. */
export function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!isDamage(error)) throw error
    return undefined
  }
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
      'The disk is full, or the database has reached DATABASE_BYTES_MAX; nothing of this write was kept. Delete documents, fewer at a time, or free some space.',
    )
  }
  if (code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB')) {
    return say(
      'The database is damaged. Stop the service and run `llara-serve verify --repair`, or restore a backup.',
    )
  }
  if (/^SQLITE_(IOERR|CANTOPEN|READONLY|PERM|AUTH|BUSY|LOCKED)/.test(code)) {
    return say(`The database cannot be read or written (${code}). Check the disk and its permissions.`)
  }
  return error
}
