import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import { breathe } from '../backup/durable-files.ts'
import { connect, isDamage } from '../database/connection.ts'
import { collectionFolder, DATABASE } from '../database/data-folder.ts'
import { LiveConnection } from '../database/live-connection.ts'
import { CHECKSUMS_SINCE, readFact, SETTINGS, settingsOf } from '../database/schema.ts'
import { damageOfGraph } from '../hnsw/graph-file.ts'
import { MISSING } from '../integrity/commit-count.ts'
import type { Inspection } from '../integrity/inspect.ts'
import { lostIds } from '../integrity/rebuild.ts'
import { checkStructure } from '../integrity/structure.ts'
import { survey } from '../integrity/survey.ts'

/** Rows looked at between two looks at whether the check is still wanted. */
const ROWS = 256

/** How many documents a collection has. */
export function countDocuments(dataDir: string, collection: string): number {
  const file = join(collectionFolder(dataDir, collection), DATABASE)
  if (!existsSync(file)) return 0
  const db = connect(file, { readonly: true })
  try {
    return db.prepare('SELECT count(*) FROM documents').pluck().get() as number
  } catch (error) {
    if (isDamage(error)) return 0
    throw error
  } finally {
    db.close()
  }
}

/**
 * Reads everything a collection holds, as it is now, while it is written to and searched. Nothing is changed; the
 * database's log grows by what is written meanwhile.
 *
 * @param onDocument is called for every whole document
 * @returns undefined where the collection has been dropped meanwhile
 * @throws ServiceError ABORTED, STORE_UNUSABLE where the database cannot be opened at all
 */
export async function inspectServed(
  dataDir: string,
  collection: string,
  onDocument: () => void,
  signal?: AbortSignal,
): Promise<Inspection | undefined> {
  const folder = collectionFolder(dataDir, collection)
  if (!existsSync(join(folder, DATABASE))) return undefined
  const db = connect(join(folder, DATABASE), { readonly: true })
  let rows = 0
  const pause = async () => {
    if (++rows % ROWS === 0) await breathe(signal)
  }
  try {
    db.exec('BEGIN')
    const format = Number(db.pragma('user_version', { simple: true }))
    const structure = checkStructure(db)
    await breathe(signal)
    const live = new LiveConnection(db)
    const dimensions = Number(readFact(db, 'dimensions'))
    const { dates } = settingsOf(readFact(db, SETTINGS))
    const checked = format >= CHECKSUMS_SINCE
    return {
      format,
      structure,
      rows: checked ? await survey(live, { dimensions, dates, pause, whole: onDocument }) : undefined,
      graph: await graphDamage(folder, signal),
      missingCommits: Number(readFact(db, MISSING) ?? 0),
      lostBefore: lostIds(live),
    }
  } catch (error) {
    if (!isDamage(error)) throw error
    const message =
      'The database is damaged where it begins, so nothing in it can be read. Restore it from a backup.'
    throw new ServiceError('STORE_UNUSABLE', message, {}, error)
  } finally {
    db.close()
  }
}

/** A graph that is just being replaced looks damaged once, and not twice. */
async function graphDamage(folder: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  if (damageOfGraph(folder) === undefined) return undefined
  await breathe(signal)
  return damageOfGraph(folder)
}
