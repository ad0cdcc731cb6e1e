import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { ServiceError } from '../../../errors.ts'
import { archiveOf } from './archive.ts'
import { checkBackupName, isBackupName } from './backup-name.ts'
import { type Manifest, readManifest } from './manifest.ts'

/** Backups on their way out; no backup's name begins so, and the next backup removes what is left of them. */
const REMOVED = '.unfinished-removed-'

/** The finished backups of a folder. */
export class BackupFolder {
  readonly #folder: string
  /** Names of those being read, and by how many. */
  readonly #reading = new Map<string, number>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Newest first. A folder without a whole manifest is no backup. */
  async list(): Promise<Manifest[]> {
    const names = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    const read = names.filter(isBackupName).map((name) => this.#read(name).catch(() => undefined))
    const found = (await Promise.all(read)).filter((manifest) => manifest !== undefined)
    return found.sort((one, other) => (one.createdAt < other.createdAt ? 1 : -1))
  }

  /** @throws ServiceError INVALID_INPUT, NOT_FOUND */
  async find(name: string): Promise<Manifest> {
    checkBackupName(name)
    try {
      return await this.#read(name)
    } catch (error) {
      throw new ServiceError('NOT_FOUND', 'There is no backup of this name.', { field: 'name' }, error)
    }
  }

  /** The backup as a tar archive: its manifest, then its files. @throws ServiceError INVALID_INPUT, NOT_FOUND */
  async archive(name: string): Promise<Readable> {
    const manifest = await this.find(name)
    this.#reading.set(name, (this.#reading.get(name) ?? 0) + 1)
    const archive = archiveOf(join(this.#folder, name), manifest)
    archive.once('close', () => {
      const others = this.#reading.get(name)! - 1
      if (others > 0) this.#reading.set(name, others)
      else this.#reading.delete(name)
    })
    return archive
  }

  /** @throws ServiceError INVALID_INPUT, NOT_FOUND, OVERLOADED while it is being read */
  async remove(name: string): Promise<void> {
    await this.find(name)
    if (this.isRead(name)) {
      throw new ServiceError('OVERLOADED', 'This backup is being downloaded; try again when that is done.', {
        retryAfterMs: 5000,
      })
    }
    // Gone in one step: half a backup is never listed.
    const aside = join(this.#folder, REMOVED + name)
    await rename(join(this.#folder, name), aside)
    await rm(aside, { recursive: true, force: true })
  }

  isRead(name: string): boolean {
    return this.#reading.has(name)
  }

  async #read(name: string): Promise<Manifest> {
    return readManifest(join(this.#folder, name))
  }
}
