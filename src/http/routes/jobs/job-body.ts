import type { FastifySchemaCompiler } from 'fastify'
import { type TObject, type TSchema, Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import { JOB_KINDS, type JobKind } from '../../../jobs/job.ts'
import { TruncateSchema } from '../../wire/schemas.ts'
import { compileBodyCheck, validatorCompiler } from '../../wire/validation.ts'
import { ChunkingSchema } from '../collections/collection-schemas.ts'

const closed = { additionalProperties: false }

/** What each kind of job is asked with. */
export const JOB_BODIES = {
  import: Type.Object(
    {
      kind: Type.Literal('import'),
      file: Type.String({
        description:
          'A file in the import folder (IMPORT_DIR) or in a folder below it: NDJSON with a document a line, as `POST /documents` takes it, its name ending with .ndjson or .jsonl, or with .gz behind that.',
        examples: ['2026/articles.ndjson.gz'],
      }),
      collection: Type.Optional(Type.String({ description: 'Default: `default`.' })),
      truncate: Type.Optional(TruncateSchema),
    },
    { ...closed, title: 'import', description: 'Stores the documents of a file.' },
  ),
  reindex: Type.Object(
    {
      kind: Type.Literal('reindex'),
      from: Type.String({ description: 'The collection, or alias, whose documents are read.' }),
      to: Type.String({ description: 'The collection, or alias, that they are stored in.' }),
      truncate: Type.Optional(TruncateSchema),
    },
    {
      ...closed,
      title: 'reindex',
      description:
        'Fills a collection with the documents of another one, cut and embedded as the new one says. Documents of the same ids are replaced.',
    },
  ),
  rechunk: Type.Object(
    {
      kind: Type.Literal('rechunk'),
      collection: Type.Optional(
        Type.String({ description: 'Or an alias. Default: the default collection.' }),
      ),
      chunking: ChunkingSchema,
    },
    {
      ...closed,
      title: 'rechunk',
      description:
        'Cuts the documents of a collection in another way and embeds them anew, while the old vectors serve. What is stored from now on is cut so at once.',
    },
  ),
  backup: Type.Object(
    {
      kind: Type.Literal('backup'),
      name: Type.Optional(
        Type.String({
          pattern: '^[a-z0-9][a-z0-9._-]{0,63}$',
          description: 'Default: the id of the job.',
          examples: ['before-the-upgrade'],
        }),
      ),
    },
    { ...closed, title: 'backup', description: 'Makes a backup, as `POST /backups` does.' },
  ),
  verify: Type.Object(
    { kind: Type.Literal('verify') },
    {
      ...closed,
      title: 'verify',
      description: 'Holds everything stored against its checksums; changes nothing.',
    },
  ),
} satisfies Record<JobKind, TObject>

export const JobBody = Type.Union(
  [JOB_BODIES.import, JOB_BODIES.reindex, JOB_BODIES.rechunk, JOB_BODIES.backup, JOB_BODIES.verify],
  {
    examples: [{ kind: 'import', file: '2026/articles.ndjson.gz' }],
  },
)

const checkKind = compileBodyCheck(
  Type.Object({ kind: Type.Enum([...JOB_KINDS], { type: 'string' }) }, { additionalProperties: true }),
)
const checks = Object.fromEntries(JOB_KINDS.map((kind) => [kind, compileBodyCheck(JOB_BODIES[kind])]))

/** Checks a body as the kind that it names: what a union of all kinds has to say of it would be of no use. */
export const jobValidatorCompiler: FastifySchemaCompiler<TSchema> = (part) => {
  if (part.httpPart !== 'body') return validatorCompiler(part)
  return (value: unknown) => {
    const error = checkKind(value) ?? checks[(value as { kind: JobKind }).kind]?.(value)
    return error instanceof ServiceError ? { error } : { value }
  }
}
