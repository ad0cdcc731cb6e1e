import type { Truncate } from '../encoder/encoder.ts'
import type { ErrorCode } from '../errors.ts'
import type { Json } from '../index/json.ts'
import type { ChunkingWish } from '../retrieval/checks/check-chunking.ts'

/** What each kind of job is told. */
export interface JobParameters {
  /** Documents of a file in the import folder. */
  import: {
    /** Below the import folder, with `/`. */
    file: string
    /** Its own name, no alias, once it has been checked. */
    collection: string
    truncate: Truncate
  }
  /** The documents of one collection in another one, embedded anew. Names are no aliases once they have been checked. */
  reindex: { from: string; to: string; truncate: Truncate }
  /** The documents of a collection, cut in another way and embedded anew where they are. */
  rechunk: { collection: string; chunking: ChunkingWish }
  /** A backup of everything. */
  backup: {
    /** Default: the job's id. */
    name?: string
  }
  /** Everything stored, held against its checksums. Nothing is changed. */
  verify: Record<never, never>
}

export type JobKind = keyof JobParameters
export const JOB_KINDS = ['import', 'reindex', 'rechunk', 'backup', 'verify'] as const satisfies JobKind[]

/**
 * - `queued`: waits for its turn;
 * - `running`;
 * - `cancelling`: is to stop, and will in a moment;
 * - `interrupted`: the service stopped while it ran; it goes on from its last checkpoint, before all that are queued;
 * - `done`, `failed`, `cancelled`: has ended. What it stored stays.
 */
export type JobState = (typeof JOB_STATES)[number]
export const JOB_STATES = [
  'queued',
  'running',
  'cancelling',
  'interrupted',
  'done',
  'failed',
  'cancelled',
] as const

export interface JobProgress {
  done: number
  /** Absent where nobody knows yet. */
  total?: number
  /** What is counted: `bytes`, `documents`. */
  unit: string
}

/** What a job has come to, by names that depend on its kind. */
export type JobResult = Record<string, Json>

/** One thing that went wrong without ending the job. */
export interface JobFault {
  /** Of the file, from 1. */
  line?: number
  /** Of the document. */
  id?: string
  code: string
  detail: string
}

export interface Job<Kind extends JobKind = JobKind> {
  /** Sorts by the time of creation. */
  id: string
  kind: Kind
  parameters: JobParameters[Kind]
  state: JobState
  /** ISO 8601, UTC, as all times here. */
  createdAt: string
  startedAt?: string
  endedAt?: string
  /** How many times it went on after the service had stopped. */
  resumed: number
  progress?: JobProgress
  /** So far, or in the end. */
  result?: JobResult
  /** Why it failed. */
  error?: { code: ErrorCode; detail: string }
  /** All of them, those that were not kept too. */
  errorsTotal: number
}

/** What a job does next if the service stops now. */
export interface Step {
  checkpoint: Json
  progress: JobProgress
  result: JobResult
  /** Lines or documents dealt with since the step before. */
  items: number
  /** Faults of lines up to this one belong to what has been done; without it, all do. */
  lastLine?: number
}

/** A job at work, as its kind sees it. */
export interface JobRun<Kind extends JobKind = JobKind> {
  readonly id: string
  readonly createdAt: string
  readonly parameters: JobParameters[Kind]
  /** Of the last step that was written down, where the job goes on. */
  readonly checkpoint: Json | undefined
  /** What that step had come to. */
  readonly result: JobResult
  /** Fires when the job is to stop; whatever is thrown then counts as obeying. */
  readonly signal: AbortSignal
  /** For whoever looks; nothing is written. @param items lines or documents dealt with since the last report */
  report(progress: JobProgress, items?: number): void
  fault(fault: JobFault): void
  /** Writes a step down, if the last time is a second ago; the last one is always written before the job stops. */
  reached(step: Step): Promise<void>
}

/** How a kind of job is done. */
export interface JobWork<Kind extends JobKind> {
  /**
   * Refuses what cannot be done as it was asked for.
   * @returns the parameters to keep
   * @throws ServiceError
   */
  check(parameters: JobParameters[Kind]): Promise<JobParameters[Kind]>
  /**
   * Does it, from the checkpoint on where there is one. What was done after the checkpoint may be done again.
   * @returns what it came to
   * @throws ServiceError why it failed; UNAVAILABLE when a part of the service is gone, which is no failure of the job
   */
  run(run: JobRun<Kind>): Promise<JobResult>
}

export type JobTable = { [Kind in JobKind]: JobWork<Kind> }
