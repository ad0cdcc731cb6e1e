import { ServiceError } from '../../errors.ts'
import type { IndexEngine } from '../../index/index-engine.ts'
import type { JobParameters, JobResult, JobRun, JobWork } from '../job.ts'

/** Everything stored, held against its checksums; each thing that is wrong is an error of the job. */
export class VerifyWork implements JobWork<'verify'> {
  readonly #engine: Pick<IndexEngine, 'verify'>

  constructor(engine: Pick<IndexEngine, 'verify'>) {
    this.#engine = engine
  }

  async check(): Promise<JobParameters['verify']> {
    if (this.#engine.verify) return {}
    throw new ServiceError('NOT_FOUND', 'The index in use has no check of its own.')
  }

  async run(run: JobRun<'verify'>): Promise<JobResult> {
    await this.check()
    let checked = 0
    const report = await this.#engine.verify!({
      signal: run.signal,
      onProgress: (done, total) => {
        run.report({ done, total, unit: 'documents' }, done - checked)
        checked = done
      },
    })
    let damaged = 0
    for (const { collection, findings } of report.collections) {
      for (const { id, problem } of findings) {
        const code = id === undefined ? 'STORE_UNUSABLE' : 'DOCUMENT_DAMAGED'
        if (id !== undefined) damaged++
        run.fault({ ...(id !== undefined && { id }), code, detail: `${collection}: ${problem}` })
      }
    }
    for (const detail of report.records) run.fault({ code: 'STORE_UNUSABLE', detail })
    const sum = (of: 'documents' | 'passages') => report.collections.reduce((all, each) => all + each[of], 0)
    const findings = report.collections.reduce(
      (all, each) => all + each.findings.length,
      report.records.length,
    )
    return {
      whole: findings === 0,
      collections: report.collections.length,
      documents: sum('documents'),
      passages: sum('passages'),
      damaged_documents: damaged,
    }
  }
}
