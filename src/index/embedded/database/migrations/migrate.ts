import type { Connection } from '../connection.ts'
import { passagesApart } from './format-2.ts'
import { indexOfWords } from './format-3.ts'

export interface MigrationProgress {
  /** Formats. */
  from: number
  to: number
  /** Documents. */
  done: number
  all: number
}

/**
 * Rewrites the tables of the format before into those of its own, inside a transaction. A migration is never changed
 * once it has been released, so it imports nothing that describes the present format.
 */
export type Migration = (db: Connection, onProgress: (done: number, all: number) => void) => void

/** How often a step says how far it is. */
const REPORTS = 20

/** By the format they lead to. */
const MIGRATIONS: Readonly<Record<number, Migration>> = { 2: passagesApart, 3: indexOfWords }

/**
 * Brings a database up to a format, one format after another. Each step is one transaction: a process that ends in
 * its middle, however it ends, leaves the format before, whole.
 *
 * @throws what SQLite throws, for instance when the disk is full; the database is then as it was before the step
 */
export function migrate(
  db: Connection,
  { from, to }: { from: number; to: number },
  onProgress: (progress: MigrationProgress) => void,
): void {
  // Damaged rows are carried over as they are, so that the start finds them as it does in any format.
  db.pragma('ignore_check_constraints = ON')
  try {
    for (let format = from + 1; format <= to; format++) {
      const step = { from: format - 1, to: format }
      let documents = 0
      let due = 0
      db.transaction(() => {
        MIGRATIONS[format]!(db, (done, all) => {
          documents = all
          // The end is reported when it is durable, below.
          if (done < due || done === all) return
          due = done + all / REPORTS
          onProgress({ ...step, done, all })
        })
        db.pragma(`user_version = ${format}`)
      }).immediate()
      onProgress({ ...step, done: documents, all: documents })
    }
  } finally {
    db.pragma('ignore_check_constraints = OFF')
  }
}
