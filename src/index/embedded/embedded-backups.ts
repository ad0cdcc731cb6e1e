import { ServiceError } from '../../errors.ts'
import { WorkerClient } from '../../worker/client.ts'
import { spawnWorker } from '../../worker/spawn.ts'
import type { Backup, Backups } from '../backups.ts'
import type { CallOptions } from '../document-index.ts'
import { backupFault } from './backup/backup-fault.ts'
import { BackupFolder } from './backup/backup-folder.ts'
import { backupNameAt, checkBackupName } from './backup/backup-name.ts'
import { type Manifest, summaryOf } from './backup/manifest.ts'
import type { BackupWorker } from './backup/worker.ts'

export interface BackupOptions {
  dataDir: string
  backupDir: string
  /** Backups kept. */
  backupsMax: number
}

/** Backups of the embedded engine, one at a time, each made in a thread of its own: searches never wait for one. */
export class EmbeddedBackups implements Backups {
  readonly #options: BackupOptions
  readonly #folder: BackupFolder
  readonly #closing = new AbortController()
  #running: Promise<unknown> | undefined

  constructor(options: BackupOptions) {
    this.#options = options
    this.#folder = new BackupFolder(options.backupDir)
  }

  async create({ name = backupNameAt(new Date()), signal }: CallOptions & { name?: string } = {}) {
    checkBackupName(name)
    if (this.#closing.signal.aborted) throw new ServiceError('UNAVAILABLE', 'The index is closed.')
    if (this.#running) {
      throw new ServiceError('OVERLOADED', 'A backup is being made already; try again when it is done.', {
        retryAfterMs: 5000,
        limit: 1,
      })
    }
    const running = guarded(() => this.#create(name, signal))
    this.#running = running.catch(() => {})
    try {
      return await running
    } finally {
      this.#running = undefined
    }
  }

  list(): Promise<Backup[]> {
    return guarded(async () => (await this.#folder.list()).map(summaryOf))
  }

  read(name: string) {
    return guarded(() => this.#folder.archive(name))
  }

  remove(name: string): Promise<void> {
    return guarded(() => this.#folder.remove(name))
  }

  /** Gives up what is being made. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #create(name: string, signal: AbortSignal | undefined) {
    const known = await this.#folder.list()
    if (known.some((other) => other.name === name)) {
      throw new ServiceError(
        'INVALID_INPUT',
        'There is a backup of this name already; give it another name.',
        {
          field: 'name',
        },
      )
    }
    const either = AbortSignal.any([this.#closing.signal, ...(signal ? [signal] : [])])
    const backup = summaryOf(await this.#make(name, either))
    return { backup, removed: await this.#removeOldest(name) }
  }

  async #make(name: string, signal: AbortSignal): Promise<Manifest> {
    const { dataDir, backupDir } = this.#options
    const worker = spawnWorker(new URL('./backup/worker.ts', import.meta.url), undefined, import.meta.url)
    const client = new WorkerClient<BackupWorker>(worker, 'The backup')
    try {
      await client.ready()
      return await client.call('make', { dataDir, backupDir, name }, { signal })
    } finally {
      await client.close()
    }
  }

  async #removeOldest(newest: string): Promise<string[]> {
    const others = (await this.#folder.list()).filter(({ name }) => name !== newest)
    const old = others.slice(this.#options.backupsMax - 1).filter(({ name }) => !this.#folder.isRead(name))
    for (const { name } of old) await this.#folder.remove(name)
    return old.map(({ name }) => name)
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw backupFault(error)
  }
}
