import { join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import type { Connection } from './connection.ts'
import { DATABASE } from './data-folder.ts'
import { sameFiles } from './file-identity.ts'
import type { FolderLock } from './folder-lock.ts'
import type { LiveConnection } from './live-connection.ts'

/** What every write changes: the last label that was given, and the number of the last commit. */
const LAST_WRITE = `
  SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'passages'), 0) || ' ' ||
    coalesce((SELECT value FROM store WHERE key = 'commits'), 0)`

/**
 * What must hold for a commit to last: the files written to are those in the folder, the folder is this process's, and
 * nobody else has written to the database. Cheap enough to ask at every write.
 */
export class WriteGuard {
  readonly #db: LiveConnection
  readonly #file: string
  readonly #lock: FolderLock
  #opened: Opened

  /** @param db the one connection that writes; when another takes its place, what counts is what it finds */
  constructor(db: LiveConnection, folder: string, lock: FolderLock) {
    this.#db = db
    this.#file = join(folder, DATABASE)
    this.#lock = lock
    this.#opened = remember(db, this.#file)
  }

  /**
   * Right before a commit, and from time to time.
   * @throws ServiceError STORE_UNUSABLE
   */
  checkPlace(): void {
    if (this.#opened.db !== this.#db.current) this.#opened = remember(this.#db, this.#file)
    this.#opened.checkFiles()
    this.#lock.check()
  }

  /**
   * At the begin of a transaction, or outside of one.
   * @throws ServiceError STORE_UNUSABLE
   */
  checkOwner(): void {
    if (this.#opened.db !== this.#db.current) this.#opened = remember(this.#db, this.#file)
    const version = versionOf(this.#db)
    if (version === this.#opened.version) return
    // It changes with others' commits, but also when this connection had a fault, on a full disk for instance.
    if (lastWrite(this.#db) === this.#opened.lastWrite) {
      this.#opened.version = version
      return
    }
    throw new ServiceError(
      'STORE_UNUSABLE',
      'Another program has written to the database while the service runs, so nothing can be stored. Stop that program ' +
        'and restart the service.',
    )
  }

  /** After a commit. */
  committed(): void {
    this.#opened.lastWrite = lastWrite(this.#db)
  }

  /** Both checks; the second only outside of a transaction. @throws ServiceError STORE_UNUSABLE */
  check(): void {
    this.checkPlace()
    if (!this.#db.current.inTransaction) this.checkOwner()
  }
}

interface Opened {
  db: Connection
  checkFiles: () => void
  version: unknown
  lastWrite: unknown
}

function remember(db: LiveConnection, file: string): Opened {
  return {
    db: db.current,
    checkFiles: sameFiles([file, `${file}-wal`]),
    version: versionOf(db),
    lastWrite: lastWrite(db),
  }
}

function versionOf(db: LiveConnection): unknown {
  return db.prepare('PRAGMA data_version', 'values').get()
}

function lastWrite(db: LiveConnection): unknown {
  return db.prepare(LAST_WRITE, 'values').get()
}
