import { statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import type { CooperativeScheduler, Mutex } from '../cooperative-scheduler.ts'
import { DATABASE } from '../database/data-folder.ts'
import type { OpenFiles } from '../database/open-files.ts'
import type { EngineNotice } from '../notice.ts'
import type { Damages } from './damages.ts'
import { lostIds, rebuild } from './rebuild.ts'
import { keptAside, rebuiltFile, removeRebuilt, replaceDatabase } from './replace-database.ts'
import { checkStructureApart } from './structure-apart.ts'
import type { LostDocument } from './survey.ts'

/** Room that a rebuild needs, as a multiple of the damaged file. */
const ROOM = 1.2

export interface MenderParts {
  folder: string
  files: OpenFiles
  damages: Damages
  scheduler: CooperativeScheduler
  /** Held while the database is rebuilt: writes wait, reads go on. */
  writes: Mutex
  notice: (notice: EngineNotice) => void
  /** Brings what is in memory in step with the new database. */
  reload: (lost: readonly LostDocument[]) => Promise<void>
}

/**
 * Rebuilds a database whose pages or indexes are damaged, while it is read from, once: a disk that damages it again is
 * not one to go on with by itself.
 */
export class Mender {
  readonly #parts: MenderParts
  #problem: string | undefined
  #failure: string | undefined
  #mending: Promise<boolean> | undefined
  #stopped = false
  #rebuilds = 0

  constructor(parts: MenderParts) {
    this.#parts = parts
  }

  /** What is wrong with the file, beyond single documents; undefined while nothing is known to be. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** How often the file was replaced: what a longer look at it finds may be about the one before. */
  get rebuilds(): number {
    return this.#rebuilds
  }

  /** Begins to mend in the background. @param problem a phrase for the log */
  suspect(problem: string): void {
    if (this.#problem !== undefined) return
    this.#problem = problem
    this.#parts.notice({
      level: 'error',
      kind: 'database-damaged',
      message: `the database is damaged (${problem}); rebuilding it from all that can be read`,
      facts: { reason: problem },
    })
    void this.mend(problem)
  }

  /** @returns whether the database is whole again */
  mend(problem: string): Promise<boolean> {
    this.suspect(problem)
    if (this.#failure !== undefined) return Promise.resolve(false)
    this.#mending ??= this.#mend().finally(() => {
      this.#mending = undefined
    })
    return this.#mending
  }

  /** @throws ServiceError STORE_UNUSABLE where the file is damaged and stays so: writing could damage more */
  checkWritable(): void {
    if (this.#failure === undefined) return
    throw new ServiceError(
      'STORE_UNUSABLE',
      `The database is damaged and could not be rebuilt (${this.#failure}), so nothing can be stored. Stop the service ` +
        'and run `llara-serve verify --repair`, or restore a backup.',
    )
  }

  /** Waits until nothing is being rebuilt. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#mending
  }

  async #mend(): Promise<boolean> {
    const { writes, notice, folder } = this.#parts
    try {
      await writes.run(() => this.#rebuild())
      this.#problem = undefined
      this.#rebuilds++
      return true
    } catch (error) {
      if (this.#stopped) return false
      this.#failure = error instanceof ServiceError ? error.message : 'it cannot be read or written'
      notice({
        level: 'error',
        kind: 'database-not-rebuilt',
        message:
          `the damaged database could not be rebuilt (${this.#failure}); documents that can be read are served, nothing ` +
          'can be stored. Stop the service and run `llara-serve verify --repair`, or restore a backup',
        facts: { reason: error instanceof Error ? error.message : String(error) },
      })
      return false
    } finally {
      removeRebuilt(folder)
    }
  }

  async #rebuild(): Promise<void> {
    const { folder, files, damages, scheduler, notice, reload } = this.#parts
    checkMendable(folder)
    removeRebuilt(folder)
    const slice = scheduler.slice('write')
    const pause = async () => {
      if (this.#stopped) throw new ServiceError('ABORTED', 'The service is stopping.')
      await slice.pause()
    }
    const { documents, lost } = await rebuild(files.reader, rebuiltFile(folder), {
      pause,
      check: (file) => checkStructureApart(file),
    })
    if (documents === 0 && lost.length > 0)
      throw new ServiceError('STORE_UNUSABLE', 'no document in it is whole')
    let kept = ''
    files.exchange(() => {
      kept = replaceDatabase(folder)
    })
    damages.rebuilt(lostIds(files.reader))
    await reload(lost)
    notice({
      level: 'warn',
      kind: 'database-rebuilt',
      message: `rebuilt the database: ${documents} documents are whole, ${lost.length} are lost; the damaged file is kept as ${kept}`,
      facts: { documents, lost: lost.length, kept },
    })
  }
}

/** @throws ServiceError STORE_UNUSABLE */
function checkMendable(folder: string): void {
  if (keptAside(folder).length > 0) {
    throw new ServiceError(
      'STORE_UNUSABLE',
      'it was rebuilt before and is damaged again; remove the damaged file that was kept to have it rebuilt once more',
    )
  }
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize < statSync(join(folder, DATABASE)).size * ROOM) {
    throw new ServiceError('STORE_UNUSABLE', 'the disk has no room for it')
  }
}
