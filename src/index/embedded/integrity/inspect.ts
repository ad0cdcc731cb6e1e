import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import { type Connection, connect, isDamage } from '../database/connection.ts'
import { DATABASE } from '../database/data-folder.ts'
import { LiveConnection } from '../database/live-connection.ts'
import { CHECKSUMS_SINCE, readFact, SETTINGS, settingsOf, writeFact } from '../database/schema.ts'
import { damageOfGraph, discardGraph } from '../hnsw/graph-file.ts'
import { COMMITS, commitsOf, MISSING } from './commit-count.ts'
import { lostIds, rebuild } from './rebuild.ts'
import { rebuiltFile, removeRebuilt, replaceDatabase } from './replace-database.ts'
import { checkStructure } from './structure.ts'
import { type Survey, survey } from './survey.ts'

/** What is found in the files of one collection. */
export interface Inspection {
  format: number
  /** What SQLite finds wrong with the file, in its words. */
  structure: string[]
  /** Undefined for a format before checksums. */
  rows: Survey | undefined
  /** Why the saved graph cannot be used. */
  graph: string | undefined
  /** Acknowledged writes that are not there. */
  missingCommits: number
  /** Ids of documents that were lost before and have not been stored again. */
  lostBefore: string[]
}

/**
 * Reads everything in a collection's folder that nobody has open.
 *
 * @throws ServiceError STORE_UNUSABLE where the database cannot be opened at all
 */
export function inspectCollection(folder: string): Promise<Inspection> {
  return withDatabase(folder, async (db) => {
    const format = Number(db.pragma('user_version', { simple: true }))
    const structure = [...refusal(join(folder, DATABASE)), ...checkStructure(db)]
    const live = new LiveConnection(db)
    const { dates } = settingsOf(readFact(db, SETTINGS))
    const checked = format >= CHECKSUMS_SINCE
    return {
      format,
      structure,
      rows: checked
        ? await survey(live, { dimensions: Number(readFact(db, 'dimensions')), dates })
        : undefined,
      graph: damageOfGraph(folder),
      missingCommits: commitsOf(folder, db).missing,
      lostBefore: lostIds(live),
    }
  })
}

/** Whether nothing is wrong with the database itself. */
export function isWhole({ structure, rows }: Inspection): boolean {
  const inRows = rows ? rows.lost.length + rows.misplaced + rows.strayValues : 0
  return structure.length === 0 && inRows === 0
}

/**
 * Makes a new database of all that is whole in a collection's folder, and puts it in the place of the old one; the
 * saved graph goes where it cannot be used, and missing commits need no longer be said.
 *
 * @returns the name of the file that the damaged database is kept in; undefined where it was whole
 * @throws ServiceError STORE_UNUSABLE
 */
export async function repairCollection(folder: string, inspection: Inspection): Promise<string | undefined> {
  if (inspection.graph !== undefined) await discardGraph(folder)
  removeRebuilt(folder)
  const whole = isWhole(inspection)
  await withDatabase(folder, async (db) => {
    const { last } = commitsOf(folder, db)
    if (!whole) await rebuild(new LiveConnection(db), rebuiltFile(folder), { acknowledged: last })
    else if (inspection.missingCommits > 0) {
      db.transaction(() => {
        writeFact(db, COMMITS, String(last))
        writeFact(db, MISSING, '0')
      }).immediate()
    }
    // The log goes into the file, which is kept.
    db.pragma('wal_checkpoint(TRUNCATE)')
  })
  return whole ? undefined : replaceDatabase(folder)
}

/** Why the service would not open it, such as a file that was cut; none where it would. */
function refusal(file: string): string[] {
  try {
    const db = connect(file, { readonly: true })
    try {
      db.prepare('SELECT count(*) FROM sqlite_schema').get()
    } finally {
      db.close()
    }
    return []
  } catch (error) {
    if (!isDamage(error)) throw error
    return ['the file is shorter than it was, or its tables are not described any more']
  }
}

async function withDatabase<T>(folder: string, work: (db: Connection) => Promise<T>): Promise<T> {
  const file = join(folder, DATABASE)
  if (!existsSync(file)) throw new ServiceError('STORE_UNUSABLE', `The database ${DATABASE} is missing.`)
  let db: Connection | undefined
  try {
    db = connect(file, { damaged: true })
    return await work(db)
  } catch (error) {
    if (!isDamage(error)) throw error
    throw new ServiceError(
      'STORE_UNUSABLE',
      'The database is damaged where it begins, so nothing in it can be read. Restore it from a backup.',
      {},
      error,
    )
  } finally {
    db?.close()
  }
}
