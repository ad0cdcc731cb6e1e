import type { Connection } from '../database/connection.ts'

/** Complaints that are asked for: more say nothing new. */
const COMPLAINTS_MAX = 20

/**
 * What SQLite finds wrong with the pages of a database, in its own words, and, unless `quick`, with its indexes. What
 * rows hold is checked by their checksums.
 */
export function checkStructure(db: Connection, { quick = false } = {}): string[] {
  db.pragma('ignore_check_constraints = ON')
  try {
    const check = quick ? 'quick_check' : 'integrity_check'
    const complaints = (db.pragma(`${check}(${COMPLAINTS_MAX})`) as Record<string, string>[]).flatMap((row) =>
      Object.values(row).map((complaint) => complaint.replace(/\s+/g, ' ')),
    )
    return complaints.length === 1 && complaints[0] === 'ok' ? [] : complaints
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  } finally {
    db.pragma('ignore_check_constraints = OFF')
  }
}
