import type { JobKind, JobState } from './job.ts'

export interface JobLog {
  info(facts: object, message: string): void
  error(facts: object, message: string): void
}

/** Who counts jobs. */
export interface JobWatch {
  /** How a job has ended. */
  ended(kind: JobKind, state: JobState): void
  /** Lines of files, or documents, that jobs have dealt with. */
  worked(kind: JobKind, items: number): void
}
