import { type ServiceError, toServiceError } from '../errors.ts'
import type { Json } from '../index/json.ts'
import type { Job, JobFault, JobKind, JobProgress, JobResult, JobRun, JobWork, Step } from './job.ts'
import type { JobStore, StoredJob } from './job-store.ts'
import { Pace } from './pace.ts'

/** Between two checkpoints: what a killed process has to do again. */
const CHECKPOINT_MS = 1000

interface RunningJobOptions {
  stored: StoredJob
  store: JobStore
  errorsMax: number
  /** Is given how many lines or documents have been dealt with since the last time. */
  onItems: (items: number) => void
}

/** A job at work: keeps what its kind reports, and writes it down. */
export class RunningJob<Kind extends JobKind = JobKind> implements JobRun<Kind> {
  readonly #stored: StoredJob
  readonly #store: JobStore
  readonly #errorsMax: number
  readonly #onItems: (items: number) => void
  readonly #abort = new AbortController()
  readonly #pace = new Pace()
  /** Not written yet; in no order. */
  #faults: JobFault[] = []
  /** Of faults that are to be written with the next step. */
  #lastLine = 0
  #savedAt = performance.now()
  #ending = false
  #why: 'cancelled' | 'interrupted' | undefined

  constructor({ stored, store, errorsMax, onItems }: RunningJobOptions) {
    this.#stored = stored
    this.#store = store
    this.#errorsMax = errorsMax
    this.#onItems = onItems
    if (stored.checkpoint === undefined) {
      // It begins again, and finds the same faults.
      stored.errorsKept = 0
      stored.job.errorsTotal = 0
      delete stored.job.result
    }
    if (stored.job.progress) this.#pace.add(stored.job.progress.done, performance.now())
  }

  get id(): string {
    return this.#stored.job.id
  }
  get createdAt(): string {
    return this.#stored.job.createdAt
  }
  get parameters() {
    return (this.#stored.job as Job<Kind>).parameters
  }
  get checkpoint(): Json | undefined {
    return this.#stored.checkpoint
  }
  get result(): JobResult {
    return this.#stored.job.result ?? {}
  }
  get signal(): AbortSignal {
    return this.#abort.signal
  }
  /** Of `progress.unit`, a second. */
  get rate(): number | undefined {
    return this.#pace.rate
  }

  report(progress: JobProgress, items = 0): void {
    this.#stored.job.progress = progress
    if (items > 0) this.#onItems(items)
    this.#pace.add(progress.done, performance.now())
  }

  fault(fault: JobFault): void {
    this.#faults.push(fault)
  }

  async reached({
    checkpoint,
    progress,
    result,
    items,
    lastLine = Number.POSITIVE_INFINITY,
  }: Step): Promise<void> {
    this.report(progress, items)
    this.#stored.checkpoint = checkpoint
    this.#stored.job.result = result
    this.#lastLine = lastLine
    if (performance.now() >= this.#savedAt + CHECKPOINT_MS) await this.#save()
  }

  stop(why: 'cancelled' | 'interrupted'): void {
    this.#why ??= why
    this.#abort.abort()
  }

  /** Whether its work is over, and only its end is still to be written down. */
  get ending(): boolean {
    return this.#ending
  }

  /**
   * Runs it to its end, whichever; never throws. Its end shows when it has been written down.
   * @returns why it failed or was interrupted by itself, and why that could not be written down
   */
  async run(work: JobWork<Kind>): Promise<{ failure?: ServiceError; unsaved?: ServiceError }> {
    let end: Partial<Job>
    let failure: ServiceError | undefined
    try {
      await this.#save()
      this.signal.throwIfAborted()
      const result = await work.run(this)
      this.#lastLine = Number.POSITIVE_INFINITY
      end = { state: 'done', result }
    } catch (thrown) {
      const error = toServiceError(thrown)
      if (!this.#why) failure = error
      end = this.#endBy(error)
    }
    this.#ending = true
    if (end.state !== 'interrupted') end.endedAt = new Date().toISOString()
    const unsaved = await this.#save(end).then(() => undefined, toServiceError)
    Object.assign(this.#stored.job, end)
    return { ...(failure && { failure }), ...(unsaved && { unsaved }) }
  }

  #endBy(error: ServiceError): Partial<Job> {
    if (this.#why) return { state: this.#why }
    // A part of the service has ended, and the service ends with it.
    if (error.code === 'UNAVAILABLE') return { state: 'interrupted' }
    return { state: 'failed', error: { code: error.code, detail: error.message } }
  }

  /** Errors first: the job's own record says how many of them count. */
  async #save(end: Partial<Job> = {}): Promise<void> {
    const { job } = this.#stored
    const settled = this.#faults.filter(({ line = 0 }) => line <= this.#lastLine)
    if (settled.length > 0) {
      this.#faults = this.#faults.filter(({ line = 0 }) => line > this.#lastLine)
      settled.sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
      const kept = settled.slice(0, Math.max(0, this.#errorsMax - this.#stored.errorsKept))
      await this.#store.addErrors(job.id, this.#stored.errorsKept, kept)
      this.#stored.errorsKept += kept.length
      job.errorsTotal += settled.length
    }
    await this.#store.save({ ...this.#stored, job: { ...job, ...end } })
    this.#savedAt = performance.now()
  }
}
