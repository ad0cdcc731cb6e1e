import { Type } from 'typebox'
import { JOB_KINDS, JOB_STATES } from '../../../jobs/job.ts'
import type { JobView } from '../../../jobs/jobs.ts'
import { oneOf } from '../../wire/schemas.ts'

const Time = (description: string) => Type.Optional(Type.String({ description }))

export const JobSchema = Type.Object({
  id: Type.String({ description: 'Sorts by the time of creation.' }),
  kind: oneOf([...JOB_KINDS]),
  parameters: Type.Record(Type.String(), Type.Unknown()),
  state: oneOf([...JOB_STATES], {
    description:
      '`queued` waits for its turn. `cancelling` stops in a moment. `interrupted`: the service stopped while it ran, and it goes on by itself. `done`, `failed` and `cancelled` are the ends; what was stored stays.',
  }),
  created_at: Type.String({ examples: ['2026-01-31T12:30:05.123Z'] }),
  started_at: Time('When it first ran.'),
  ended_at: Time('Absent until it has ended.'),
  resumed: Type.Integer({ description: 'How many times it went on where it was.' }),
  progress: Type.Optional(
    Type.Object({
      done: Type.Number(),
      total: Type.Optional(Type.Number({ description: 'Absent where nobody knows yet.' })),
      unit: Type.String({
        description: '`bytes` of the file (import), `documents` (reindex, rechunk, verify).',
      }),
      rate: Type.Optional(Type.Number({ description: 'A second, lately; while it runs.' })),
      eta_s: Type.Optional(Type.Number({ description: 'Seconds to the end at this rate.' })),
    }),
  ),
  result: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description:
        'What it has come to, so far or in the end. import: `lines`, `created`, `updated`, `failed`. reindex and rechunk: `documents`, `failed`. backup: `name`, `bytes`, `collections`, `documents`, `removed`. verify: `whole`, `collections`, `documents`, `passages`, `damaged_documents`.',
    }),
  ),
  error: Type.Optional(
    Type.Object(
      { code: Type.String(), detail: Type.String() },
      { description: 'Why it failed, by the codes of problems.' },
    ),
  ),
  errors_total: Type.Integer({
    description: 'What went wrong without ending it: `GET /jobs/{id}/errors` lists it.',
  }),
})

export function wireOf(job: JobView) {
  const { id, kind, parameters, state, createdAt, startedAt, endedAt, resumed, progress, result, error } = job
  return {
    id,
    kind,
    parameters: { ...parameters },
    state,
    created_at: createdAt,
    ...(startedAt !== undefined && { started_at: startedAt }),
    ...(endedAt !== undefined && { ended_at: endedAt }),
    resumed,
    ...(progress && { progress: { ...progress, ...paceOf(job) } }),
    ...(result && { result }),
    ...(error && { error }),
    errors_total: job.errorsTotal,
  }
}

function paceOf({ rate, progress }: JobView): { rate?: number; eta_s?: number } {
  if (rate === undefined) return {}
  const left = (progress?.total ?? Number.NaN) - (progress?.done ?? 0)
  const eta = left / rate
  return { rate: Math.round(rate * 10) / 10, ...(Number.isFinite(eta) && { eta_s: Math.ceil(eta) }) }
}
