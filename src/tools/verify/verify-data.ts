import { join } from 'node:path'
import { say, type Terminal } from '../../cli/terminal.ts'
import { ToolError } from '../../cli/tool-error.ts'
import { toServiceError } from '../../errors.ts'
import { collectionFolder, collectionsIn } from '../../index/embedded/database/data-folder.ts'
import { FolderLock } from '../../index/embedded/database/folder-lock.ts'
import { inspectCollection, isWhole, repairCollection } from '../../index/embedded/integrity/inspect.ts'
import { damagedRecords } from '../../index/embedded/records/record-files.ts'
import { findingsOf, stateOf } from '../../index/embedded/verification/findings.ts'

export interface VerifyRequest {
  dataDir: string
  repair: boolean
}

/**
 * Checks every collection of a data folder, one after another, then the records, and says what it finds.
 *
 * @throws ToolError INPUT_UNUSABLE (no data folder), DATA_DAMAGED; ServiceError STORE_UNUSABLE (in use)
 */
export async function verifyData({ dataDir, repair }: VerifyRequest, terminal: Terminal): Promise<void> {
  const collections = collectionsIn(dataDir)
  if (collections.length === 0) {
    throw new ToolError(
      'INPUT_UNUSABLE',
      `There is no database in ${dataDir}. Name the data folder of a service with --data-dir.`,
    )
  }
  const lock = new FolderLock(dataDir)
  try {
    let damaged = 0
    for (const collection of collections) {
      const folder = collectionFolder(dataDir, collection)
      if (!(await verifyCollection(collection, folder, repair, terminal))) damaged++
    }
    for (const problem of damagedRecords(dataDir)) {
      say(terminal.stdout, `records: ${problem}`)
      damaged++
    }
    if (damaged === 0) return
    throw new ToolError(
      'DATA_DAMAGED',
      repair
        ? 'Not everything could be repaired. Restore what is named above from a backup.'
        : 'The data is damaged. Restore a backup; or run this again with --repair to go on with all that is whole, ' +
            'then store the documents named above again.',
    )
  } finally {
    lock.release()
  }
}

/** @returns whether it is in order, now at least */
async function verifyCollection(
  collection: string,
  folder: string,
  repair: boolean,
  terminal: Terminal,
): Promise<boolean> {
  const tell = (line: string) => say(terminal.stdout, `${collection}: ${line}`)
  try {
    const inspection = await inspectCollection(folder)
    tell(stateOf(inspection))
    for (const { problem } of findingsOf(inspection)) tell(problem)
    const whole = isWhole(inspection) && inspection.missingCommits === 0
    if (!repair || (whole && inspection.graph === undefined)) return whole && inspection.graph === undefined
    const kept = await repairCollection(folder, inspection)
    tell(
      kept === undefined ? 'repaired.' : `repaired; the damaged database is kept as ${join(folder, kept)}.`,
    )
    return true
  } catch (error) {
    tell(toServiceError(error).message)
    return false
  }
}
