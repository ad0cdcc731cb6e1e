import { join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import { type Connection, connectAlone, isBusy, isOpenElsewhere, storeError } from './connection.ts'
import { collectionFolder, collectionsIn, DATABASE } from './data-folder.ts'
import { fileIdentity } from './file-identity.ts'

const LOCK = 'lock.sqlite'

/**
 * Holds a data folder for this process by an exclusive lock on a file of its own, which the system drops when the
 * process ends, however it ends. A lock file can be deleted under its holder. So a lock file that is new to this program
 * proves nothing: the databases are then asked whether another process has them open, and the file is marked with its
 * own identity, which no copy of it has.
 */
export class FolderLock {
  readonly #dataDir: string
  readonly #file: string
  #db: Connection
  #identity: string | undefined

  /** @throws ServiceError STORE_UNUSABLE when another process has the folder */
  constructor(dataDir: string) {
    this.#dataDir = dataDir
    this.#file = join(dataDir, LOCK)
    const [db, identity] = take(dataDir)
    this.#db = db
    this.#identity = identity
    try {
      if (isMarked(db, identity)) return
      const databases = collectionsIn(dataDir).map((name) => join(collectionFolder(dataDir, name), DATABASE))
      if (databases.some(isOpenElsewhere)) throw inUse()
      mark(db, identity)
    } catch (error) {
      db.close()
      throw storeError(error)
    }
  }

  /**
   * Takes the lock again where its file was deleted.
   * @throws ServiceError STORE_UNUSABLE when another process was quicker
   */
  check(): void {
    if (fileIdentity(this.#file) === this.#identity) return
    const [db, identity] = take(this.#dataDir)
    mark(db, identity)
    this.#db.close()
    this.#db = db
    this.#identity = identity
  }

  release(): void {
    this.#db.close()
  }
}

/** The lock file, locked, and which file it is. */
function take(dataDir: string): [Connection, string | undefined] {
  const file = join(dataDir, LOCK)
  try {
    return [connectAlone(file), fileIdentity(file)]
  } catch (error) {
    throw isBusy(error) ? inUse() : storeError(error)
  }
}

function isMarked(db: Connection, identity: string | undefined): boolean {
  return db.pragma('user_version', { simple: true }) === markOf(identity)
}

/** On a full disk the mark is left out, and the next start asks the databases again. */
function mark(db: Connection, identity: string | undefined): void {
  try {
    db.pragma(`user_version = ${markOf(identity)}`)
  } catch {
    if (db.inTransaction) db.exec('ROLLBACK')
  }
}

/** 31 bits of a file's identity, never 0. */
function markOf(identity: string | undefined): number {
  const inode = identity?.split(':')[1] ?? '0'
  return Number(BigInt(inode) % 0x7fff_ffffn) + 1
}

function inUse(): ServiceError {
  return new ServiceError(
    'STORE_UNUSABLE',
    'Another process is using the data folder. Stop it, or use another DATA_DIR.',
  )
}
