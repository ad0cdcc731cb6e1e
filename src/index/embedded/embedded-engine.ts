import { join } from 'node:path'
import { ServiceError } from '../../errors.ts'
import { limitsFrom } from '../../limits.ts'
import { WorkerClient } from '../../worker/client.ts'
import { spawnWorker } from '../../worker/spawn.ts'
import type { Watch } from '../../worker/watchdog.ts'
import type { Backups } from '../backups.ts'
import { type CollectionSettings, DIMENSIONS_MAX, FIRST_SETTINGS } from '../collection-settings.ts'
import type { DocumentIndex } from '../document-index.ts'
import type { CollectionIdentity, IndexEngine, IndexNotice, StoredCollection } from '../index-engine.ts'
import type { VerificationReport, VerifyOptions } from '../verification.ts'
import { COLLECTION_NAME } from './database/data-folder.ts'
import { EmbeddedBackups } from './embedded-backups.ts'
import { EmbeddedIndex } from './embedded-index.ts'
import { EmbeddedRecords } from './embedded-records.ts'
import { INDEX_LIMITS, INDEX_TUNING, type IndexLimits } from './limits.ts'
import { OperationLimiter } from './operation-limiter.ts'
import { verifyServed } from './verification/verify-served.ts'
import type { WorkerData } from './wire.ts'
import type { IndexWorker } from './worker.ts'

export interface EmbeddedEngineOptions {
  /** Folder of all collections; made if missing. One process at a time. */
  dataDir: string
  /** Folder of backups; made with the first. Default: `backups` in the data folder. */
  backupDir?: string
  limits?: Partial<IndexLimits>
  onNotice?: (notice: IndexNotice) => void
  /** Who is to know when the index's thread does not answer. */
  watch?: Watch
}

/**
 * Starts the engine that keeps everything in one folder of this machine: SQLite holds documents and vectors, HNSW the
 * graphs, in one worker thread for all collections.
 *
 * @throws ServiceError INVALID_CONFIG for a limit out of its range; STORE_UNUSABLE when another process uses the folder
 */
export async function startEmbeddedEngine(options: EmbeddedEngineOptions): Promise<IndexEngine> {
  const { dataDir, backupDir = join(dataDir, 'backups'), onNotice } = options
  const limits = { ...limitsFrom(INDEX_LIMITS, options.limits), ...limitsFrom(INDEX_TUNING, options.limits) }
  const data: WorkerData = { dataDir, limits }
  const worker = spawnWorker(new URL('./worker.ts', import.meta.url), data, import.meta.url)
  const client = new WorkerClient<IndexWorker>(worker, 'The index', options.watch)
  if (onNotice) client.on('notice', onNotice)
  try {
    await client.ready()
    const backups = new EmbeddedBackups({ dataDir, backupDir, backupsMax: limits.backupsMax })
    return new EmbeddedEngine({ client, limiter: new OperationLimiter(limits), backups, dataDir })
  } catch (error) {
    await worker.terminate()
    throw error
  }
}

interface EngineParts {
  client: WorkerClient<IndexWorker>
  limiter: OperationLimiter
  backups: EmbeddedBackups
  dataDir: string
}

class EmbeddedEngine implements IndexEngine {
  readonly records: EmbeddedRecords
  readonly #client: WorkerClient<IndexWorker>
  readonly #backups: EmbeddedBackups
  readonly #limiter: OperationLimiter
  readonly #dataDir: string
  readonly #opened = new Set<EmbeddedIndex>()
  readonly #listeners: ((error: ServiceError) => void)[] = []
  #closing: Promise<void> | undefined

  constructor({ client, limiter, backups, dataDir }: EngineParts) {
    this.#client = client
    this.records = new EmbeddedRecords(client)
    this.#backups = backups
    this.#limiter = limiter
    this.#dataDir = dataDir
    client.onDeath((error) => {
      for (const listener of this.#listeners) listener(error)
    })
  }

  verify(options: VerifyOptions): Promise<VerificationReport> {
    return verifyServed(this.#dataDir, options)
  }

  get backups(): Backups {
    return this.#backups
  }

  async open(
    collection: string,
    identity: CollectionIdentity,
    settings: CollectionSettings = FIRST_SETTINGS,
  ): Promise<DocumentIndex> {
    checkNew(collection, identity)
    const { dimensions } = identity
    const opened = await this.#client.call('open', { collection, identity, settings })
    const what = { collection, dimensions, settings: opened.settings }
    const index = new EmbeddedIndex(this.#client, what, this.#limiter, {
      onDeath: (listener) => this.onDeath(listener),
      onClose: () => this.#opened.delete(index),
    })
    this.#opened.add(index)
    return index
  }

  list(): Promise<string[]> {
    return this.#client.call('collections', undefined)
  }

  async describe(collection: string): Promise<StoredCollection | undefined> {
    checkName(collection)
    return this.#client.call('describe', { collection })
  }

  async create(
    collection: string,
    identity: CollectionIdentity,
    settings: CollectionSettings,
  ): Promise<void> {
    checkNew(collection, identity)
    return this.#client.call('create', { collection, identity, settings })
  }

  async drop(collection: string): Promise<boolean> {
    checkName(collection)
    return this.#client.call('drop', { collection })
  }

  onDeath(listener: (error: ServiceError) => void): void {
    this.#listeners.push(listener)
  }

  onTrouble(listener: (collection: string, trouble: ServiceError | undefined) => void): void {
    this.#client.on('trouble', ({ collection, problem }) => {
      listener(collection, problem === undefined ? undefined : new ServiceError('STORE_UNUSABLE', problem))
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    // What it reads belongs to this process only as long as the engine holds the folder.
    await this.#backups.close()
    await Promise.all([...this.#opened].map((index) => index.close()))
    await this.#client.close()
  }
}

/** @throws ServiceError INVALID_INPUT */
function checkName(collection: string): void {
  if (COLLECTION_NAME.test(collection)) return
  throw new ServiceError(
    'INVALID_INPUT',
    `${JSON.stringify(collection)} cannot be a collection's name: use 1 to 64 of a-z, 0-9, _ and -, not _ or - first.`,
    { field: 'collection' },
  )
}

/** @throws ServiceError INVALID_INPUT */
function checkNew(collection: string, { dimensions }: CollectionIdentity): void {
  checkName(collection)
  if (Number.isInteger(dimensions) && dimensions >= 1 && dimensions <= DIMENSIONS_MAX) return
  throw new ServiceError(
    'INVALID_INPUT',
    `dimensions must be a whole number from 1 to ${DIMENSIONS_MAX}, not ${dimensions}.`,
    { field: 'dimensions', limit: DIMENSIONS_MAX },
  )
}
