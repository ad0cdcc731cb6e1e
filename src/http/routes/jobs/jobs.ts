import { type Static, Type } from 'typebox'
import { DEFAULT_COLLECTION } from '../../../index/index-engine.ts'
import type { JobView } from '../../../jobs/jobs.ts'
import type { HttpContext, Server } from '../../http-context.ts'
import { queryBodyMax } from '../../limits.ts'
import { PROBLEMS } from '../../wire/schemas.ts'
import { JobSchema, wireOf } from './job-answer.ts'
import { JobBody, jobValidatorCompiler } from './job-body.ts'

const PAGE_SIZE = 100
const PAGE_SIZE_MAX = 1000

const Params = Type.Object({ id: Type.String() })

/** Long work: asked for once, done in the background, looked at as often as one likes. */
export function jobRoutes(server: Server, { config, jobs }: HttpContext): void {
  server.post(
    '/jobs',
    {
      bodyLimit: queryBodyMax(config).bytes,
      config: { access: 'write', audit: true },
      validatorCompiler: jobValidatorCompiler,
      schema: {
        tags: ['jobs'],
        operationId: 'createJob',
        summary: 'Begin long work',
        description:
          'The job is durable when the answer comes, and goes on whatever happens to the caller or the service. JOBS_AT_ONCE run at the same time, the others wait in order. Its texts are embedded after those of searches, and in turns with other clients.',
        body: JobBody,
        response: { 202: JobSchema, ...PROBLEMS },
      },
    },
    async ({ body }, reply) => {
      const job = await create(body)
      return reply.code(202).header('location', `/jobs/${job.id}`).send(wireOf(job))
    },
  )

  function create(body: Static<typeof JobBody>): Promise<JobView> {
    switch (body.kind) {
      case 'import': {
        const { file, collection = DEFAULT_COLLECTION, truncate = 'end' } = body
        return jobs().create('import', { file, collection, truncate })
      }
      case 'reindex': {
        const { from, to, truncate = 'end' } = body
        return jobs().create('reindex', { from, to, truncate })
      }
      case 'rechunk': {
        const { collection = DEFAULT_COLLECTION, chunking } = body
        return jobs().create('rechunk', { collection, chunking })
      }
      case 'backup':
        return jobs().create('backup', body.name === undefined ? {} : { name: body.name })
      case 'verify':
        return jobs().create('verify', {})
    }
  }

  server.get(
    '/jobs',
    {
      config: { access: 'write' },
      schema: {
        tags: ['jobs'],
        operationId: 'listJobs',
        summary: 'List jobs',
        description: 'Newest first. JOBS_KEPT_MAX are remembered after their end.',
        response: { 200: Type.Object({ jobs: Type.Array(JobSchema) }), ...PROBLEMS },
      },
    },
    async () => ({ jobs: jobs().list().map(wireOf) }),
  )

  server.get(
    '/jobs/:id',
    {
      config: { access: 'write' },
      schema: {
        tags: ['jobs'],
        operationId: 'getJob',
        summary: 'Look at a job',
        params: Params,
        response: { 200: JobSchema, ...PROBLEMS },
      },
    },
    async ({ params: { id } }) => wireOf(jobs().get(id)),
  )

  server.get(
    '/jobs/:id/errors',
    {
      config: { access: 'write' },
      schema: {
        tags: ['jobs'],
        operationId: 'listJobErrors',
        summary: 'List what went wrong in a job',
        description:
          'Faulty lines of an import, in their order, once the lines before them have been stored; what a check found damaged. The first JOB_ERRORS_MAX are kept.',
        params: Params,
        querystring: Type.Object(
          {
            offset: Type.Optional(
              Type.Integer({ minimum: 0, description: 'Errors to pass over. Default 0.' }),
            ),
            limit: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: PAGE_SIZE_MAX,
                description: `Most errors of the page, ${PAGE_SIZE} unless given.`,
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            errors: Type.Array(
              Type.Object({
                line: Type.Optional(
                  Type.Integer({
                    description:
                      'Of the file, from 1; of a reindex the number of the document, in the order of ids.',
                  }),
                ),
                id: Type.Optional(Type.String({ description: 'Of the document.' })),
                code: Type.String(),
                detail: Type.String(),
              }),
            ),
            kept: Type.Integer({ description: 'Errors that can be read.' }),
            total: Type.Integer({ description: 'Errors there were.' }),
          }),
          ...PROBLEMS,
        },
      },
    },
    async ({ params: { id }, query: { offset = 0, limit = PAGE_SIZE } }) => jobs().errors(id, offset, limit),
  )

  const changes = [
    {
      verb: 'cancel',
      operationId: 'cancelJob',
      summary: 'Stop a job',
      description:
        'A running job stops within a second or two and says `cancelling` until then; what it has stored stays. Of a job that has ended nothing changes.',
    },
    {
      verb: 'resume',
      operationId: 'resumeJob',
      summary: 'Let a job go on that failed or was cancelled',
      description: 'It waits for its turn again, then goes on where it was: after a full disk, for instance.',
    },
  ] as const
  for (const { verb, ...schema } of changes) {
    server.post(
      `/jobs/:id/${verb}`,
      {
        config: { access: 'write', audit: true },
        schema: { tags: ['jobs'], ...schema, params: Params, response: { 202: JobSchema, ...PROBLEMS } },
      },
      async ({ params: { id } }, reply) => reply.code(202).send(wireOf(await jobs()[verb](id))),
    )
  }
}
