import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fdatasyncSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Connection } from '../database/connection.ts'
import type { LiveConnection } from '../database/live-connection.ts'
import { readFact, writeFact } from '../database/schema.ts'
import type { EngineNotice } from '../notice.ts'

/** Sorts before the database, so that a copy in the order of names is behind it rather than ahead. */
const FILE = 'commit-count'
/** A count, whose database it is of, and the checksum of both; each slot in a block of the disk of its own. */
const COUNT_BYTES = 8
const STORE_BYTES = 16
const CHECKSUM_BYTES = 16
const SLOT_BYTES = COUNT_BYTES + STORE_BYTES + CHECKSUM_BYTES
const SLOT_STRIDE = 4096
/** How often the system is asked to write the file out. */
const SYNC_MS = 1000

/** Facts in the database. */
export const COMMITS = 'commits'
export const MISSING = 'missing_commits'

/**
 * How many commits a database has had, in a file beside it. SQLite leaves out what it cannot read of a damaged log, and
 * all of a log that was deleted, without a word; here it shows, because the database also holds the number of its last
 * commit. The file is written after the commit, so it may be behind the database, never ahead, whenever the process or
 * the machine stops. A database that stands alone (a restored backup) begins a new file.
 */
export class CommitCount {
  readonly #fd: number
  readonly #store: Buffer
  #count: number
  #missing: number
  #syncedAt = 0
  #failed = false
  readonly #notice: (notice: EngineNotice) => void

  /** Compares file and database, and says what is missing, until `llara-serve verify --repair` has been run. */
  constructor(folder: string, db: Connection, notice: (notice: EngineNotice) => void) {
    this.#notice = notice
    this.#store = storeDigest(db)
    this.#fd = openSync(join(folder, FILE), constants.O_RDWR | constants.O_CREAT)
    const acknowledged = highest(this.#fd, this.#store)
    this.#count = wholeNumber(readFact(db, COMMITS))
    this.#missing = wholeNumber(readFact(db, MISSING))
    if (acknowledged > this.#count) {
      // In one step, so that a process that ends here counts nothing twice.
      db.transaction(() => {
        this.#missing += acknowledged - this.#count
        this.#count = acknowledged
        writeFact(db, MISSING, String(this.#missing))
        writeFact(db, COMMITS, String(this.#count))
      }).immediate()
    }
    if (this.#missing > 0) this.#say()
    this.#write()
  }

  /** Commits that were acknowledged and are not in the database. */
  get missing(): number {
    return this.#missing
  }

  /** Inside the transaction that is about to be committed. */
  count(db: LiveConnection): void {
    db.prepare('INSERT OR REPLACE INTO store (key, value) VALUES (?, ?)').run(
      COMMITS,
      String(this.#count + 1),
    )
  }

  /** After that commit. */
  counted(): void {
    this.#count++
    this.#write()
  }

  close(): void {
    try {
      fdatasyncSync(this.#fd)
    } finally {
      closeSync(this.#fd)
    }
  }

  /** In the other slot than last time: the one before stays whole. */
  #write(): void {
    const count = Buffer.alloc(COUNT_BYTES)
    count.writeBigUInt64LE(BigInt(this.#count))
    const content = Buffer.concat([count, this.#store])
    const slot = Buffer.concat([content, digest(content).subarray(0, CHECKSUM_BYTES)])
    try {
      writeSync(this.#fd, slot, 0, SLOT_BYTES, (this.#count % 2) * SLOT_STRIDE)
      this.#sync()
      this.#failed = false
    } catch (error) {
      // The commit itself is safe.
      if (this.#failed) return
      this.#failed = true
      const reason = error instanceof Error ? error.message : String(error)
      const message = 'the count of commits could not be written; a damaged log might not be noticed'
      this.#notice({ level: 'warn', kind: 'commit-count-not-written', message, facts: { reason } })
    }
  }

  #sync(): void {
    const now = performance.now()
    if (now < this.#syncedAt + SYNC_MS) return
    this.#syncedAt = now
    // It need not be on the disk: a count that is behind claims nothing that is not so.
    fdatasync(this.#fd, () => {})
  }

  #say(): void {
    this.#notice({
      level: 'error',
      kind: 'commits-missing',
      message:
        `${this.#missing} acknowledged writes are not in the database: its log was damaged or removed. Store them ` +
        'again or restore a backup; `llara-serve verify --repair` ends this message',
      facts: { missing: this.#missing },
    })
  }
}

/** What a database that is not in use has lost, and the number of its last commit. */
export function commitsOf(folder: string, db: Connection): { last: number; missing: number } {
  const path = join(folder, FILE)
  const count = wholeNumber(readFact(db, COMMITS))
  const missing = wholeNumber(readFact(db, MISSING))
  if (!existsSync(path)) return { last: count, missing }
  const fd = openSync(path, 'r')
  try {
    const last = Math.max(count, highest(fd, storeDigest(db)))
    return { last, missing: missing + last - count }
  } finally {
    closeSync(fd)
  }
}

/** Whether a database in this folder has ever been written to, as far as its count can be read. */
export function everCommitted(folder: string): boolean {
  const path = join(folder, FILE)
  if (!existsSync(path)) return false
  const fd = openSync(path, 'r')
  try {
    return highest(fd) > 0
  } finally {
    closeSync(fd)
  }
}

/** The highest count of the slots that are whole and of this database, or of any; 0 where there is none. */
function highest(fd: number, store?: Buffer): number {
  const counts = [0, 1].map((slot) => {
    const bytes = Buffer.alloc(SLOT_BYTES)
    readSync(fd, bytes, 0, SLOT_BYTES, slot * SLOT_STRIDE)
    const content = bytes.subarray(0, COUNT_BYTES + STORE_BYTES)
    const whole = digest(content).subarray(0, CHECKSUM_BYTES).equals(bytes.subarray(content.length))
    const ours = !store || content.subarray(COUNT_BYTES).equals(store)
    return whole && ours ? Number(content.readBigUInt64LE()) : 0
  })
  return Math.max(...counts)
}

function storeDigest(db: Connection): Buffer {
  return digest(Buffer.from(readFact(db, 'store_id') ?? '')).subarray(0, STORE_BYTES)
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}

function wholeNumber(text: string | undefined): number {
  const number = Number(text ?? 0)
  return Number.isSafeInteger(number) && number >= 0 ? number : 0
}
