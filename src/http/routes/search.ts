import { type Static, Type } from 'typebox'
import { ServiceError } from '../../errors.ts'
import type { Hit } from '../../index/document-index.ts'
import { parseFilter } from '../../retrieval/checks/parse-filter.ts'
import { type SearchAnswer, search, type Target } from '../../retrieval/search.ts'
import { signalOf } from '../guards/deadline.ts'
import { forClient } from '../guards/for-client.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { type HttpLimits, queryBodyMax } from '../limits.ts'
import {
  DocumentFields,
  FilterSchema,
  Id,
  Include,
  oneOf,
  PROBLEMS,
  roundTimings,
  serverTiming,
  TimingsSchema,
} from '../wire/schemas.ts'
import { warningsOf, warningsSchema } from '../wire/warnings.ts'

const K_DEFAULT = 10

const bodySchema = ({ queriesPerRequestMax, kMax, efMax }: HttpLimits) =>
  Type.Object(
    {
      query: Type.Optional(
        Type.String({ description: 'One question or keyword text.', examples: ['why is the sky blue'] }),
      ),
      queries: Type.Optional(
        Type.Array(Type.String(), {
          minItems: 1,
          maxItems: queriesPerRequestMax,
          description: 'Several queries at once; results come under `batches`.',
        }),
      ),
      vector: Type.Optional(
        Type.Array(Type.Number(), {
          maxItems: 65_536,
          description: 'A vector of this model. It is normalised to unit length.',
        }),
      ),
      like: Type.Optional(
        Type.String({ ...Id, description: 'Find neighbours of this document; it is excluded.' }),
      ),
      task: Type.Optional(
        oneOf(['retrieval', 'similarity'], {
          description:
            '`retrieval` (default): the query is a question (EBAR prompt). `similarity`: find texts that say the same (EBAE prompt on both sides).',
        }),
      ),
      k: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: kMax,
          description: `How many results to return. Default ${K_DEFAULT}.`,
        }),
      ),
      filter: Type.Optional(FilterSchema),
      min_score: Type.Optional(
        Type.Number({
          minimum: -1,
          maximum: 1,
          description: 'Return only results with at least this cosine similarity.',
        }),
      ),
      include: Type.Optional(Include),
      ef: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: efMax,
          description:
            'Candidates kept while the HNSW graph is searched: larger is slower and has better recall.',
        }),
      ),
      exact: Type.Optional(
        Type.Boolean({ description: 'Score every matching document instead of using the HNSW graph.' }),
      ),
    },
    {
      additionalProperties: false,
      description: 'Exactly one of `query`, `queries`, `vector`, `like`.',
      examples: [
        { query: 'why is the sky blue', k: 5, filter: { year: { $gte: 2020 } } },
        { like: 'astro-17', k: 5 },
      ],
    },
  )

type Body = Static<ReturnType<typeof bodySchema>>

const { id, text, title, metadata } = DocumentFields
const Result = Type.Object({
  id,
  score: Type.Number({ description: 'Cosine similarity in [-1, 1]; larger is better.' }),
  title: Type.Optional(title),
  text: Type.Optional(text),
  metadata: Type.Optional(metadata),
})
const PathSchema = oneOf(['hnsw', 'exact'], {
  description: '`hnsw`: found through the HNSW graph. `exact`: every match was scored.',
})
const Answer = Type.Object({
  results: Type.Optional(Type.Array(Result, { description: 'Best first.' })),
  batches: Type.Optional(
    Type.Array(Type.Array(Result), { description: 'With `queries`: the results of each query.' }),
  ),
  path: PathSchema,
  paths: Type.Optional(Type.Array(PathSchema, { description: 'With `queries`: the path of each query.' })),
  truncated: Type.Optional(
    Type.Array(Type.Integer(), {
      description:
        'Indexes of the queries that were longer than the model reads and were cut; absent when none was.',
    }),
  ),
  warnings: warningsSchema({ index: Type.Integer({ description: 'Of the query; 0 with `query`.' }) }),
  timings_ms: TimingsSchema,
})

export function searchRoute(server: Server, { config, retrieval }: HttpContext): void {
  server.post(
    '/search',
    {
      bodyLimit: queryBodyMax(config).bytes,
      config: { access: 'read' },
      schema: {
        tags: ['search'],
        operationId: 'search',
        summary: 'Find documents',
        body: bodySchema(config),
        response: { 200: Answer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { body } = request
      const { k = K_DEFAULT, include = ['text', 'title', 'metadata'] } = body
      const answer = await search(forClient(retrieval(), request), {
        target: targetOf(body),
        k,
        options: {
          fields: include,
          ...(body.filter !== undefined && { filter: parseFilter(body.filter) }),
          ...(body.min_score !== undefined && { floor: body.min_score }),
          tuning: {
            ...(body.ef !== undefined && { ef: body.ef }),
            ...(body.exact !== undefined && { exact: body.exact }),
          },
          signal: signalOf(request),
        },
      })
      const timings = roundTimings(answer.timings)
      reply.header('server-timing', serverTiming(timings))
      return {
        ...listsOf(answer, body.queries !== undefined),
        ...(answer.truncated.length > 0 && { truncated: answer.truncated }),
        ...warningsOf(answer.mostlyUnknown.map((index) => ({ index }))),
        timings_ms: timings,
      }
    },
  )
}

/** @throws ServiceError INVALID_INPUT unless the body names exactly one target */
function targetOf({ query, queries, vector, like, task }: Body): Target {
  const targets: Target[] = []
  const kind = task ?? 'retrieval'
  if (query !== undefined) targets.push({ kind: 'texts', texts: [query], task: kind, field: 'query' })
  if (queries !== undefined) targets.push({ kind: 'texts', texts: queries, task: kind, field: 'queries' })
  if (vector !== undefined) targets.push({ kind: 'vector', vector })
  if (like !== undefined) targets.push({ kind: 'like', id: like })
  const [target] = targets
  if (!target || targets.length > 1) {
    throw new ServiceError('INVALID_INPUT', 'Give exactly one of query, queries, vector, like.')
  }
  if (task !== undefined && target.kind !== 'texts') {
    throw new ServiceError(
      'INVALID_INPUT',
      'task applies to query and queries only; leave it out with vector and like.',
      {
        field: 'task',
      },
    )
  }
  return target
}

function listsOf({ batches }: SearchAnswer, many: boolean) {
  const lists = batches.map(({ hits }) => hits.map(resultOf))
  // Whatever an engine calls its approximate way, here it is the graph's.
  const paths = batches.map(({ path }) => (path === 'exact' ? 'exact' : 'hnsw'))
  const path = paths.includes('hnsw') ? 'hnsw' : 'exact'
  return many ? { batches: lists, path, paths } : { results: lists[0] ?? [], path }
}

function resultOf({ id, score, document = {} }: Hit) {
  const { title, text, metadata } = document
  return {
    id,
    score,
    ...(title !== undefined && { title }),
    ...(text !== undefined && { text }),
    ...(metadata !== undefined && { metadata }),
  }
}
