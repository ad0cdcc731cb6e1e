import { setTimeout as sleep } from 'node:timers/promises'
import { causeText } from '../cause.ts'
import { ServiceError } from '../errors.ts'
import type { Records } from '../index/records.ts'
import type { Job, JobFault, JobKind, JobParameters, JobTable, JobWork } from './job.ts'
import { JobClock } from './job-clock.ts'
import { JobStore, type StoredJob } from './job-store.ts'
import type { JobLog, JobWatch } from './job-watch.ts'
import { UNKNOWN_WORK } from './kinds/unknown-job.ts'
import type { JobLimits } from './limits.ts'
import { RunningJob } from './running-job.ts'

export interface JobsOptions {
  records: Records
  table: JobTable
  limits: JobLimits
  log: JobLog
  watch?: JobWatch
}

/** A job, and how quickly it goes on. */
export type JobView = Job & { rate?: number }

const ENDED: ReadonlySet<Job['state']> = new Set(['done', 'failed', 'cancelled'])

/**
 * The jobs of one service: they wait in order, run a few at a time, and what a killed service left goes on where it was.
 *
 * @throws ServiceError from every method: NOT_FOUND (no such job), STORE_UNUSABLE (it cannot be written down)
 */
export class Jobs {
  readonly #store: JobStore
  readonly #options: JobsOptions
  /** In order of creation. */
  readonly #jobs = new Map<string, StoredJob>()
  readonly #running = new Map<string, { running: RunningJob; ended: Promise<void> }>()
  #open = false
  /** Being written down. */
  #creating = 0
  readonly #clock = new JobClock()

  private constructor(options: JobsOptions) {
    this.#options = options
    this.#store = new JobStore(options.records)
  }

  /** Reads what there is; nothing runs before `start`. A damaged job is logged and left out. */
  static async open(options: JobsOptions): Promise<Jobs> {
    const jobs = new Jobs(options)
    const stored = await jobs.#store.all((message) => options.log.error({}, message))
    for (const each of stored) {
      jobs.#jobs.set(each.job.id, each)
      await jobs.#takeUp(each)
    }
    return jobs
  }

  start(): void {
    this.#open = true
    this.#next()
  }

  /**
   * Lets running jobs write down where they are, and stops them; they go on after the next start. One that takes longer
   * than `msMax` goes on from its last checkpoint.
   */
  async stop(msMax: number): Promise<void> {
    this.#open = false
    const all = [...this.#running.values()]
    for (const { running } of all) running.stop('interrupted')
    const ended = Promise.all(all.map(({ ended }) => ended))
    await Promise.race([ended, sleep(msMax, undefined, { ref: false })])
  }

  /** Newest first. */
  list(): JobView[] {
    return [...this.#jobs.values()].map((stored) => this.#view(stored)).reverse()
  }

  get(id: string): JobView {
    return this.#view(this.#find(id))
  }

  /** @returns the job, which is durable and waits. @throws ServiceError OVERLOADED, or what its kind refuses */
  async create<Kind extends JobKind>(kind: Kind, parameters: JobParameters[Kind]): Promise<JobView> {
    const checked = await this.#options.table[kind].check(parameters)
    this.#checkRoom()
    const stored: StoredJob = {
      job: { ...this.#clock.next(), kind, parameters: checked, state: 'queued', resumed: 0, errorsTotal: 0 },
      errorsKept: 0,
    }
    this.#creating++
    try {
      await this.#store.save(stored)
    } finally {
      this.#creating--
    }
    this.#jobs.set(stored.job.id, stored)
    this.#log(stored, 'job created')
    this.#next()
    return this.#view(stored)
  }

  /** Stops it, and keeps what it has stored. Of a job that has ended nothing changes. */
  async cancel(id: string): Promise<JobView> {
    const stored = this.#find(id)
    const { job } = stored
    const { running } = this.#running.get(id) ?? {}
    if (running?.ending) return this.#view(stored)
    if (job.state === 'running') job.state = 'cancelling'
    else if (!running && !ENDED.has(job.state)) cancelled(job)
    else return this.#view(stored)
    // First: a service that is killed now does not go on with it.
    await this.#store.save(stored)
    running?.stop('cancelled')
    if (!running) this.#ended(stored)
    return this.#view(stored)
  }

  /** A job that failed or was cancelled waits again, to go on where it was. @throws ServiceError INVALID_INPUT, OVERLOADED */
  async resume(id: string): Promise<JobView> {
    const stored = this.#find(id)
    const { job } = stored
    if (job.state !== 'failed' && job.state !== 'cancelled') {
      const message = `The job is ${job.state}; only one that failed or was cancelled can be resumed.`
      throw new ServiceError('INVALID_INPUT', message, { field: 'id' })
    }
    this.#checkRoom()
    const { endedAt, error, ...rest } = job
    stored.job = { ...rest, state: 'queued' }
    try {
      await this.#store.save(stored)
    } catch (failure) {
      stored.job = job
      throw failure
    }
    this.#log(stored, 'job resumed')
    this.#next()
    return this.#view(stored)
  }

  /** Errors in order, from number `from` (0 is the first) on; only the first JOB_ERRORS_MAX of a job are kept. */
  async errors(
    id: string,
    from: number,
    limit: number,
  ): Promise<{ errors: JobFault[]; kept: number; total: number }> {
    const { job, errorsKept: kept } = this.#find(id)
    const errors = await this.#store.errors(id, from, Math.min(kept, from + limit))
    return { errors, kept, total: job.errorsTotal }
  }

  #find(id: string): StoredJob {
    const found = this.#jobs.get(id)
    if (found) return found
    throw new ServiceError(
      'NOT_FOUND',
      'There is no job with this id; jobs that ended long ago are forgotten.',
    )
  }

  #view({ job }: StoredJob): JobView {
    const rate = this.#running.get(job.id)?.running.rate
    return { ...job, ...(rate !== undefined && { rate }) }
  }

  #checkRoom(): void {
    const { jobsQueuedMax: limit } = this.#options.limits
    const waiting = [...this.#jobs.values()].filter(({ job: { state } }) => state === 'queued').length
    if (waiting + this.#creating < limit) return
    const message = `${limit} jobs wait already (JOBS_QUEUED_MAX); try again when some are done.`
    throw new ServiceError('OVERLOADED', message, { retryAfterMs: 5000, limit })
  }

  /** What a service that stopped or was killed left. */
  async #takeUp(stored: StoredJob): Promise<void> {
    const { job } = stored
    if (job.state === 'running') job.state = 'interrupted'
    else if (job.state === 'cancelling') cancelled(job)
    else return
    await this.#store.save(stored)
  }

  /** Starts jobs while there is room: those that were interrupted first. */
  #next(): void {
    while (this.#open && this.#running.size < this.#options.limits.jobsAtOnce) {
      const waiting = [...this.#jobs.values()].filter(({ job: { id } }) => !this.#running.has(id))
      const next =
        waiting.find(({ job }) => job.state === 'interrupted') ??
        waiting.find(({ job }) => job.state === 'queued')
      if (!next) return
      this.#begin(next)
    }
  }

  #begin(stored: StoredJob): void {
    const { job } = stored
    const { table, limits, watch } = this.#options
    if (job.startedAt !== undefined) job.resumed++
    job.startedAt ??= new Date().toISOString()
    job.state = 'running'
    const running = new RunningJob({
      stored,
      store: this.#store,
      errorsMax: limits.jobErrorsMax,
      onItems: (items) => watch?.worked(job.kind, items),
    })
    const work: JobWork<JobKind> = table[job.kind] ?? UNKNOWN_WORK
    const ended = running.run(work).then(async ({ failure, unsaved }) => {
      this.#running.delete(job.id)
      this.#ended(stored, failure)
      if (unsaved) this.#log(stored, 'how the job ended could not be written down', unsaved)
      await this.#forget().catch((error) => this.#log(stored, 'an old job could not be removed', error))
      this.#next()
    })
    this.#running.set(job.id, { running, ended })
  }

  /** Removes the oldest that have ended, beyond those that are kept. */
  async #forget(): Promise<void> {
    const ended = [...this.#jobs.values()].filter(({ job }) => ENDED.has(job.state))
    const old = ended.slice(0, Math.max(0, ended.length - this.#options.limits.jobsKeptMax))
    for (const { job } of old) {
      this.#jobs.delete(job.id)
      await this.#store.remove(job.id)
    }
  }

  #ended(stored: StoredJob, failure?: ServiceError): void {
    this.#log(stored, 'job ended', failure)
    const { kind, state } = stored.job
    if (ENDED.has(state)) this.#options.watch?.ended(kind, state)
  }

  #log({ job: { id, kind, state } }: StoredJob, message: string, error?: ServiceError): void {
    const cause = error?.cause !== undefined && { cause: causeText(error.cause) }
    const facts = {
      job: id,
      kind,
      state,
      ...(error && { code: error.code, reason: error.message, ...cause }),
    }
    if (error) this.#options.log.error(facts, message)
    else this.#options.log.info(facts, message)
  }
}

function cancelled(job: Job): void {
  Object.assign(job, { state: 'cancelled', endedAt: new Date().toISOString() })
}
