import { Type } from 'typebox'
import type { Metadata } from '../../index/json.ts'
import { ID_BYTES_MAX } from '../../retrieval/checks/check-document.ts'

/** Parts of the wire format that several routes use. */

/** A string out of a closed list. */
export function oneOf<const T extends string[]>(values: [...T], options: { description?: string } = {}) {
  return Type.Enum(values, { type: 'string', ...options })
}

/** Which fields of a document an answer has. */
export const Include = Type.Array(oneOf(['text', 'title', 'metadata', 'vector']), {
  maxItems: 4,
  description: 'Fields to return with each document. Default: all but `vector`.',
})

/** The same of what was found. */
export const SearchInclude = Type.Array(oneOf(['text', 'title', 'metadata', 'vector', 'passage']), {
  maxItems: 5,
  description:
    'Fields to return with each document. Default: all but `vector`, and `passage` only where documents are cut into passages.',
})

export const Id = Type.String({
  minLength: 1,
  maxLength: ID_BYTES_MAX,
  description: `Any string of up to ${ID_BYTES_MAX} bytes without control characters.`,
  examples: ['astro-17'],
})

export const MetadataSchema = Type.Unsafe<Metadata>({
  type: 'object',
  additionalProperties: true,
  description: 'Any JSON object; filters reach into it with dotted paths.',
  examples: [{ year: 2021, tags: ['space'], author: { name: 'M. Ito' } }],
})

export const FilterSchema = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  additionalProperties: true,
  description:
    'Conditions on metadata: `{field: value}`, `{field: {$eq $ne $in $nin $gt $gte $lt $lte $exists}}`, `$and`, `$or`, `$not`; dotted paths reach into nested objects.',
  examples: [{ year: { $gte: 2020 }, 'author.name': 'M. Ito' }],
})

export const TruncateSchema = oneOf(['error', 'end'], {
  description:
    'What to do with a text longer than the model reads: `error` refuses it, `end` (default) cuts its end off.',
})

/** Fields of a stored document. */
export const DocumentFields = {
  id: Id,
  title: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'Embedded before the text. An empty string is as null.',
  }),
  text: Type.String(),
  metadata: MetadataSchema,
}

const milliseconds = (description: string) => Type.Optional(Type.Number({ description }))

export const TimingsSchema = Type.Object(
  {
    tokenize: milliseconds('Turning text into tokens.'),
    queue: milliseconds('Waiting for the model.'),
    inference: milliseconds('Running the model.'),
    search: milliseconds('Searching the index.'),
    total: milliseconds('Everything except HTTP.'),
  },
  { description: 'Wall-clock milliseconds of each phase.' },
)

export const ProblemSchema = Type.Object(
  {
    type: Type.String({ examples: ['urn:llara-serve:problem:invalid_input'] }),
    title: Type.String({ examples: ['Unprocessable Entity'] }),
    status: Type.Integer({ examples: [422] }),
    code: Type.String({ description: 'Stable, for programs.', examples: ['INVALID_INPUT'] }),
    detail: Type.String({ description: 'For people: what is wrong, then what to do.' }),
    request_id: Type.String(),
    details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { $id: 'Problem', description: 'RFC 9457 problem details.' },
)

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: Type.Ref('Problem') } },
})

/** Error responses that every route may give, for the API description. */
export const PROBLEMS = {
  '4xx': problem('The request cannot be served as it is; `code` says why. 429 has a Retry-After header.'),
  '5xx': problem('The service cannot serve the request now. 503 has a Retry-After header.'),
}

/** Milliseconds to the microsecond: more digits would be noise. */
export function roundTimings<T extends object>(timings: T): T {
  return Object.fromEntries(
    Object.entries(timings).map(([phase, ms]) => [phase, Math.round(ms * 1000) / 1000]),
  ) as T
}

/** RFC: Server-Timing (W3C), the same figures for browsers and proxies. */
export function serverTiming(timings: object): string {
  return Object.entries(timings)
    .map(([phase, ms]) => `${phase};dur=${ms}`)
    .join(', ')
}
