import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs'
import { ServiceError } from '../../../errors.ts'
import { lastGiven } from '../database/checked-rows.ts'
import { connectForCopy, readable } from '../database/connection.ts'
import { LiveConnection } from '../database/live-connection.ts'
import { rowWriter } from '../database/rows.ts'
import { createTables, SETTINGS, settingsOf, writeFact } from '../database/schema.ts'
import { COMMITS, MISSING } from './commit-count.ts'
import type { WholeDocument } from './examine.ts'
import { checkStructure } from './structure.ts'
import { type Survey, survey } from './survey.ts'

/** Facts a database cannot be without. */
const NEEDED = ['store_id', 'dimensions', 'fingerprint']
/** The ids of documents that a rebuild could not keep, each as a fact of its own until it is stored again or deleted. */
const LOST = 'lost:'

export interface RebuildOptions {
  /** Awaited often. */
  pause?: () => Promise<void>
  /** The number of the last commit, where the missing ones need no longer be said. */
  acknowledged?: number
  /** How the new file is checked; in this thread where absent. */
  check?: (file: string) => Promise<string[]>
}

/**
 * Copies every document that is whole into a new database, with its labels, and makes the indexes anew.
 *
 * @param target path of the new file; one that is there already is replaced
 * @returns what is in it, and what could not be copied
 * @throws ServiceError STORE_UNUSABLE where the database does not even say whose it is
 */
export async function rebuild(
  source: LiveConnection,
  target: string,
  { pause, acknowledged, check }: RebuildOptions = {},
): Promise<Survey> {
  rmSync(target, { force: true })
  const facts = factsOf(source)
  if (acknowledged !== undefined) {
    facts.set(COMMITS, String(acknowledged))
    facts.delete(MISSING)
  }
  const dimensions = Number(facts.get('dimensions'))
  const settings = settingsOf(facts.get(SETTINGS))
  const copy = new LiveConnection(connectForCopy(target))
  try {
    const db = copy.current
    db.exec('BEGIN')
    createTables(db, dimensions, settings.analysis)
    let last = lastGiven(source)
    // Labels that may be given again could mean other vectors in a saved graph.
    if (last === undefined) facts.set('graph_ids', '[]')
    last ??= 0
    const writer = rowWriter(copy, settings)
    const whole = ({ row, passages }: WholeDocument) => {
      // Of two with one id, which only a damaged index lets in, the later is the one that was stored last.
      const earlier = writer.keyOf(row.id)
      if (earlier !== undefined) writer.delete(earlier)
      writer.insertRows(row, passages)
      last = Math.max(last ?? 0, row.document + row.passages - 1)
    }
    const found = await survey(source, { dimensions, dates: settings.dates, whole, ...(pause && { pause }) })
    for (const { id } of found.lost) {
      if (id !== undefined && writer.keyOf(id) === undefined) facts.set(`${LOST}${id}`, '')
    }
    for (const [key, value] of facts) writeFact(db, key, value)
    db.exec(`
      INSERT INTO sqlite_sequence (name, seq)
        SELECT 'passages', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'passages');
      UPDATE sqlite_sequence SET seq = max(seq, ${last}) WHERE name = 'passages'`)
    db.exec('COMMIT')
    // What SQLite calls whole is what it will read.
    const problems = check ? await check(target) : checkStructure(db)
    if (problems.length === 0) return found
    throw new ServiceError('STORE_UNUSABLE', 'The rebuilt database is not whole. Check the disk.')
  } finally {
    copy.current.close()
    sync(target)
  }
}

/** @throws ServiceError STORE_UNUSABLE */
function factsOf(source: LiveConnection): Map<string, string> {
  const facts = new Map<string, string>()
  // One by one: a page that cannot be read takes only its own.
  for (const key of [...NEEDED, SETTINGS, 'graph_ids', COMMITS, MISSING]) {
    const value = readable(() => source.prepare('SELECT value FROM store WHERE key = ?', 'values').get(key))
    if (typeof value === 'string') facts.set(key, value)
  }
  for (const id of lostIds(source)) facts.set(`${LOST}${id}`, '')
  if (NEEDED.every((key) => facts.has(key))) return facts
  throw new ServiceError(
    'STORE_UNUSABLE',
    'The database is damaged where it says whose vectors it holds, so it cannot be rebuilt. Restore it from a backup.',
  )
}

/** Documents that earlier rebuilds could not keep and nobody has stored again or deleted. */
export function lostIds(db: LiveConnection): string[] {
  const sql = `SELECT key FROM store WHERE key >= '${LOST}' AND key < 'lost;'`
  const keys = readable(() => db.prepare(sql, 'values').all()) ?? []
  return keys.map((key) => String(key).slice(LOST.length))
}

/** One of them has been stored again or deleted: inside that transaction. */
export function forgetLost(db: LiveConnection, id: string): void {
  db.prepare('DELETE FROM store WHERE key = ?').run(`${LOST}${id}`)
}

function sync(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
