import type { JobKind, JobState } from '../jobs/job.ts'
import type { JobWatch } from '../jobs/job-watch.ts'
import type { Jobs } from '../jobs/jobs.ts'

/** A counter or a gauge with labels. */
export interface LabelledFigure<Label extends string> {
  reset(): void
  inc(labels: Record<Label, string>, value?: number): void
}

/** Makes counters and gauges. */
export interface FigureMaker {
  counter<Label extends string>(name: string, help: string, labels: Label[]): LabelledFigure<Label>
  gauge<Label extends string>(name: string, help: string, labels: Label[]): LabelledFigure<Label>
}

const UNDER_WAY: readonly JobState[] = ['queued', 'running', 'cancelling', 'interrupted']

/** Figures of jobs. */
export class JobFigures implements JobWatch {
  readonly #now: LabelledFigure<'kind' | 'state'>
  readonly #ended: LabelledFigure<'kind' | 'state'>
  readonly #items: LabelledFigure<'kind'>
  #jobs: Pick<Jobs, 'list'> | undefined

  constructor(make: FigureMaker) {
    this.#now = make.gauge('llara_jobs', 'Jobs that wait or run.', ['kind', 'state'])
    this.#ended = make.counter('llara_jobs_ended_total', 'Jobs that ended, by how.', ['kind', 'state'])
    const help = 'Lines of files and documents that jobs have dealt with.'
    this.#items = make.counter('llara_job_items_total', help, ['kind'])
  }

  follow(jobs: Pick<Jobs, 'list'>): void {
    this.#jobs = jobs
  }

  ended(kind: JobKind, state: JobState): void {
    this.#ended.inc({ kind, state })
  }

  worked(kind: JobKind, items: number): void {
    this.#items.inc({ kind }, items)
  }

  /** Looks at all jobs, whenever metrics are asked for. */
  read(): void {
    this.#now.reset()
    for (const { kind, state } of this.#jobs?.list() ?? []) {
      if (UNDER_WAY.includes(state)) this.#now.inc({ kind, state })
    }
  }
}
