import type { Collections } from '../collections/collections.ts'
import type { IndexEngine } from '../index/index-engine.ts'
import type { JobLog, JobWatch } from './job-watch.ts'
import { Jobs } from './jobs.ts'
import { BackupWork } from './kinds/backup-job.ts'
import { type ImportParts, ImportWork } from './kinds/import/import-job.ts'
import { RechunkWork } from './kinds/rechunk-job.ts'
import { ReindexWork } from './kinds/reindex-job.ts'
import { VerifyWork } from './kinds/verify-job.ts'
import type { JobLimits } from './limits.ts'

/** What jobs work with. */
export interface JobParts extends Omit<ImportParts, 'importDir' | 'collections'> {
  collections: Pick<Collections, 'resolve' | 'lease' | 'info' | 'configure'>
  config: JobLimits & Pick<ImportParts, 'importDir'>
  log: JobLog
  watch: JobWatch
}

/** The jobs of a service, with how each kind is done. Nothing runs before `start`. */
export function openJobs(
  engine: Pick<IndexEngine, 'records' | 'backups' | 'verify'>,
  { config, log, watch, ...parts }: JobParts,
): Promise<Jobs> {
  const table = {
    import: new ImportWork({ ...parts, importDir: config.importDir }),
    reindex: new ReindexWork(parts.collections),
    rechunk: new RechunkWork(parts.collections),
    backup: new BackupWork(engine.backups),
    verify: new VerifyWork(engine),
  }
  return Jobs.open({ records: engine.records, table, limits: config, log, watch })
}
