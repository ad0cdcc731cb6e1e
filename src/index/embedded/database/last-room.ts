import { emptyLog, isNoRoom, limitPages } from './connection.ts'
import type { DiskReserve } from './disk-reserve.ts'
import type { LiveConnection } from './live-connection.ts'

/** Pages that a deletion may add, should it have to split one. */
const DELETION_PAGES = 64

/**
 * Writes when there is no room left, on the disk or below DATABASE_BYTES_MAX: the write is tried again with the reserve
 * given up, and the database is not allowed to grow, so that all the room comes back when the log has been emptied.
 * What was deleted leaves free pages, which later documents fill.
 */
export class LastRoom {
  readonly #db: LiveConnection
  readonly #reserve: DiskReserve
  readonly #bytesMax: number

  /** @param bytesMax of the database file; 0: no limit */
  constructor(db: LiveConnection, reserve: DiskReserve, bytesMax: number) {
    this.#db = db
    this.#reserve = reserve
    this.#bytesMax = bytesMax
  }

  /** @param attempt a transaction, which may be run twice */
  async run<T>(deletes: boolean, attempt: () => Promise<T>): Promise<T> {
    if (this.#reserve.hold()) {
      try {
        return await attempt()
      } catch (error) {
        if (!isNoRoom(error)) throw error
      }
    }
    const db = this.#db.current
    this.#reserve.release()
    emptyLog(db)
    limitPages(db, { growth: deletes ? DELETION_PAGES : 0 })
    try {
      return await attempt()
    } finally {
      limitPages(db, { bytesMax: this.#bytesMax })
      emptyLog(db)
      this.#reserve.hold()
    }
  }
}
