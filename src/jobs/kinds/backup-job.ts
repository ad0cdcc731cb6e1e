import { ServiceError } from '../../errors.ts'
import type { Backup, Backups } from '../../index/backups.ts'
import { retryWhenOverloaded } from '../../retrieval/encode-bulk.ts'
import type { JobParameters, JobResult, JobRun, JobWork } from '../job.ts'

/** A backup of everything. One that a killed service left half is made again. */
export class BackupWork implements JobWork<'backup'> {
  readonly #backups: Backups | undefined

  /** @param backups undefined where the index makes none of its own */
  constructor(backups: Backups | undefined) {
    this.#backups = backups
  }

  async check(parameters: JobParameters['backup']): Promise<JobParameters['backup']> {
    const known = await this.#own().list()
    if (known.every(({ name }) => name !== parameters.name)) return parameters
    const message = 'There is a backup of this name already; give it another name.'
    throw new ServiceError('INVALID_INPUT', message, { field: 'name' })
  }

  async run({ id, createdAt, parameters, signal }: JobRun<'backup'>): Promise<JobResult> {
    const backups = this.#own()
    const { name = id } = parameters
    const known = (await backups.list()).find((other) => other.name === name)
    // Finished, and the service was killed before it could say so.
    if (known && known.createdAt >= createdAt) return resultOf(known, [])
    const { backup, removed } = await retryWhenOverloaded(() => backups.create({ name, signal }), signal)
    return resultOf(backup, removed)
  }

  #own(): Backups {
    if (this.#backups) return this.#backups
    throw new ServiceError('NOT_FOUND', 'The index in use makes no backups of its own.')
  }
}

function resultOf({ name, bytes, collections }: Backup, removed: string[]): JobResult {
  const documents = collections.reduce((sum, collection) => sum + collection.documents, 0)
  return { name, bytes, collections: collections.length, documents, removed }
}
