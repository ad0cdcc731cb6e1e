import { toServiceError } from '../errors.ts'
import type { Json } from '../index/json.ts'
import type { Records } from '../index/records.ts'
import type { Job, JobFault } from './job.ts'

/** Kinds of records. */
const JOBS = 'jobs'
const ERRORS = 'job-errors'
/** Errors in one record. */
const PAGE = 100

/** A job with what only this room knows of it. */
export interface StoredJob {
  job: Job
  checkpoint?: Json
  /** Errors that can be read. */
  errorsKept: number
}

/** Jobs and their errors as records. */
export class JobStore {
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  /** Every job, oldest first; a damaged one is left out and handed to `damaged`. */
  async all(damaged: (message: string) => void): Promise<StoredJob[]> {
    const jobs: StoredJob[] = []
    for (const name of await this.#records.names(JOBS)) {
      try {
        const stored = await this.#records.get(JOBS, name)
        if (stored !== undefined) jobs.push(stored as unknown as StoredJob)
      } catch (error) {
        damaged(toServiceError(error).message)
      }
    }
    return jobs
  }

  save(stored: StoredJob): Promise<void> {
    // Absent fields are left out on the way to the disk.
    return this.#records.put(JOBS, stored.job.id, JSON.parse(JSON.stringify(stored)))
  }

  async remove(id: string): Promise<void> {
    await this.#records.remove(JOBS, id)
    for (const name of await this.#records.names(ERRORS)) {
      if (name.startsWith(`${id}_`)) await this.#records.remove(ERRORS, name)
    }
  }

  /** Writes errors after the first `kept`; what a process that was killed wrote after those is replaced. */
  async addErrors(id: string, kept: number, errors: readonly JobFault[]): Promise<void> {
    if (errors.length === 0) return
    const begun = kept % PAGE
    const last = begun === 0 ? [] : (await this.#page(id, Math.floor(kept / PAGE))).slice(0, begun)
    const all = [...last, ...errors]
    for (let at = 0; at < all.length; at += PAGE) {
      const page = all.slice(at, at + PAGE) as unknown as Json
      await this.#records.put(ERRORS, pageName(id, Math.floor(kept / PAGE) + at / PAGE), page)
    }
  }

  /** Errors `from` to `to`, of those that are kept. */
  async errors(id: string, from: number, to: number): Promise<JobFault[]> {
    const errors: JobFault[] = []
    for (let at = from; at < to; at = (Math.floor(at / PAGE) + 1) * PAGE) {
      const page = await this.#page(id, Math.floor(at / PAGE))
      errors.push(...page.slice(at % PAGE, (at % PAGE) + to - at))
    }
    return errors
  }

  async #page(id: string, number: number): Promise<JobFault[]> {
    return ((await this.#records.get(ERRORS, pageName(id, number))) ?? []) as unknown as JobFault[]
  }
}

function pageName(id: string, number: number): string {
  return `${id}_${number}`
}
