import { ServiceError } from '../../errors.ts'
import type { JobKind, JobWork } from '../job.ts'

/** Of a job that a newer program wrote down. */
export const UNKNOWN_WORK: JobWork<JobKind> = {
  check: async (parameters) => parameters,
  async run() {
    throw new ServiceError(
      'INVALID_INPUT',
      'This program has no jobs of this kind; use the one that made it.',
    )
  },
}
