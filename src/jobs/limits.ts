import type { Limits, LimitTable } from '../limits.ts'

/** How many jobs there may be, and what is kept of them. */
export const JOB_LIMITS = {
  jobsAtOnce: {
    unit: 'jobs',
    fallback: 1,
    min: 1,
    max: 8,
    doc: 'Jobs that run at the same time; the others wait, in order.',
  },
  jobsQueuedMax: {
    unit: 'jobs',
    fallback: 100,
    min: 1,
    max: 10_000,
    doc: 'Jobs that may wait; more get 429.',
  },
  jobsKeptMax: {
    unit: 'jobs',
    fallback: 100,
    min: 1,
    max: 10_000,
    doc: 'Jobs that are remembered after their end; the oldest are forgotten first.',
  },
  jobErrorsMax: {
    unit: 'errors',
    fallback: 1000,
    min: 1,
    max: 100_000,
    doc: 'Errors kept of one job, such as faulty lines; further ones are only counted.',
  },
} as const satisfies LimitTable

export type JobLimits = Limits<typeof JOB_LIMITS>
