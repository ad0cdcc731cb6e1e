import { copyFileSync, existsSync, linkSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import { DATABASE } from '../database/data-folder.ts'
import { fileIdentity } from '../database/file-identity.ts'
import { syncFolder } from '../hnsw/graph-file.ts'

const REBUILT = `${DATABASE}.rebuilt`
const ASIDE = /^store\.damaged-\d+\.sqlite$/

/** Where the new database of a collection is made, in its own folder. */
export function rebuiltFile(folder: string): string {
  return join(folder, REBUILT)
}

/** Damaged databases that earlier rebuilds kept, by name. */
export function keptAside(folder: string): string[] {
  const current = fileIdentity(join(folder, DATABASE))
  const kept = readdirSync(folder).filter((name) => ASIDE.test(name))
  // A process that ended between two steps left the database a second name.
  return kept.filter((name) => fileIdentity(join(folder, name)) !== current)
}

/**
 * Puts the rebuilt database in the place of the damaged one, in one step: whenever the process ends, one of the two is
 * there, whole. Nobody may have the old one open, and its log must have been moved into it.
 *
 * @returns the name that the damaged file is kept under
 * @throws ServiceError STORE_UNUSABLE while there is a log
 */
export function replaceDatabase(folder: string): string {
  const file = join(folder, DATABASE)
  const log = `${file}-wal`
  if (existsSync(log) && statSync(log).size > 0) {
    throw new ServiceError(
      'STORE_UNUSABLE',
      'The log of the damaged database could not be moved into it, so it is not replaced. Check the disk.',
    )
  }
  rmSync(log, { force: true })
  rmSync(`${file}-shm`, { force: true })
  const aside = `store.damaged-${Date.now()}.sqlite`
  try {
    linkSync(file, join(folder, aside))
  } catch {
    // Some file systems have no second names.
    copyFileSync(file, join(folder, aside))
  }
  renameSync(rebuiltFile(folder), file)
  syncFolder(folder)
  return aside
}

/** Takes away what a rebuild that did not end has left. */
export function removeRebuilt(folder: string): void {
  for (const suffix of ['', '-journal', '-wal', '-shm'])
    rmSync(`${rebuiltFile(folder)}${suffix}`, { force: true })
}
