import { type Static, Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import type { DocumentField } from '../../../index/document.ts'
import type { RerankLimits } from '../../../retrieval/limits.ts'
import { type RerankResult, rerank } from '../../../retrieval/rerank/rerank.ts'
import { signalOf } from '../../guards/deadline.ts'
import { forClient } from '../../guards/for-client.ts'
import type { HttpContext, Server } from '../../http-context.ts'
import {
  DocumentFields,
  Id,
  oneOf,
  PROBLEMS,
  roundTimings,
  serverTiming,
  TimingsSchema,
} from '../../wire/schemas.ts'

interface GivenDocument {
  id?: string
  title?: string | null
  text: string
}

const { id, title, text, metadata } = DocumentFields
const Given = Type.Unsafe<string | GivenDocument>({
  type: ['string', 'object'],
  properties: { id: Id, title, text },
  required: ['text'],
  additionalProperties: false,
  description: 'A text, or an object with `text`; a `title` is read before the text, an `id` comes back.',
})

const bodySchema = ({ rerankDocumentsMax }: RerankLimits) =>
  Type.Object(
    {
      query: Type.String({ examples: ['why is the sky blue'] }),
      documents: Type.Optional(Type.Array(Given, { minItems: 1, maxItems: rerankDocumentsMax })),
      ids: Type.Optional(
        Type.Array(Id, {
          minItems: 1,
          maxItems: rerankDocumentsMax,
          description: 'Documents of the collection, instead of `documents`.',
        }),
      ),
      top_n: Type.Optional(
        Type.Integer({ minimum: 1, description: 'How many results to return. Default: all.' }),
      ),
      include: Type.Optional(
        Type.Array(oneOf(['text', 'title', 'metadata']), {
          maxItems: 3,
          description: 'Fields to return with each result. Default: none. `metadata` with `ids` only.',
        }),
      ),
      model: Type.Optional(
        Type.String({ description: 'Id of the reranker in GET /info. Another one is refused (404).' }),
      ),
    },
    {
      additionalProperties: false,
      description: 'Exactly one of `documents`, `ids`.',
      examples: [
        {
          query: 'why is the sky blue',
          documents: ['Grass is green.', { id: 'air', text: 'Air scatters blue light.' }],
        },
        { query: 'why is the sky blue', ids: ['astro-17', 'astro-18'], top_n: 1, include: ['title'] },
      ],
    },
  )

type Body = Static<ReturnType<typeof bodySchema>>

const Result = Type.Object({
  index: Type.Integer({ description: 'Of the text in `documents` or `ids`.' }),
  id: Type.Optional(id),
  score: Type.Number({
    description:
      "The model's logit: larger is better. It compares texts for one query. 1 / (1 + exp(-score)) lies between 0 and 1 and keeps the order.",
  }),
  title: Type.Optional(title),
  text: Type.Optional(text),
  metadata: Type.Optional(metadata),
})

const { search: _, total, ...phases } = TimingsSchema.properties
const Answer = Type.Object({
  model: Type.String(),
  results: Type.Array(Result, { description: 'Best first; equal scores in the order of the texts.' }),
  usage: Type.Object({
    tokens: Type.Integer({
      description:
        'Tokens that the model read: for each text the query, what is left of the text, and the template.',
    }),
  }),
  truncated: Type.Array(Type.Integer(), {
    description: 'Indexes of the texts that were longer than the model reads and were cut at their end.',
  }),
  query_truncated: Type.Boolean({ description: 'Whether the query was cut at its end.' }),
  timings_ms: Type.Object(
    {
      ...phases,
      documents: Type.Optional(Type.Number({ description: 'With `ids`: reading the texts.' })),
      total,
    },
    { description: 'Wall-clock milliseconds of each phase.' },
  ),
})

/** The service's own reranking. */
export function rerankRoute(server: Server, { config, retrieval }: HttpContext): void {
  server.post(
    '/rerank',
    {
      config: { access: 'read' },
      schema: {
        tags: ['reranking'],
        operationId: 'rerank',
        summary: 'Order texts by how well they answer a query',
        description:
          'The reranker reads the query together with each text, and gives a score. 404 (`NO_RERANKER`) where the service runs none.',
        body: bodySchema(config),
        response: { 200: Answer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { query, top_n, model, include = [], ...body } = request.body
      const { texts, shown } = givenBy(body)
      const answer = await rerank(forClient(await retrieval(request), request), {
        query,
        texts,
        fields: include,
        ...(top_n !== undefined && { topN: top_n }),
        ...(model !== undefined && { model }),
        signal: signalOf(request),
      })
      const timings = roundTimings(answer.timings)
      reply.header('server-timing', serverTiming(timings))
      return {
        model: answer.model,
        results: answer.results.map((result) => shown(result, include)),
        usage: { tokens: answer.tokens },
        truncated: answer.truncated,
        query_truncated: answer.queryTruncated,
        timings_ms: timings,
      }
    },
  )
}

/**
 * What is to be reranked, and how its results are shown.
 * @throws ServiceError INVALID_INPUT unless the body has either documents or ids
 */
function givenBy({ documents, ids }: Pick<Body, 'documents' | 'ids'>) {
  if (ids && !documents) {
    const shown = ({ document, ...result }: RerankResult) => ({
      ...result,
      ...document,
      id: ids[result.index]!,
    })
    return { texts: { ids }, shown }
  }
  if (!documents || ids) throw new ServiceError('INVALID_INPUT', 'Give exactly one of documents, ids.')
  const given = documents.map((one): GivenDocument => (typeof one === 'string' ? { text: one } : one))
  const shown = ({ index, score }: RerankResult, include: readonly DocumentField[]) => {
    const { id, title = null, text } = given[index]!
    return {
      index,
      ...(id !== undefined && { id }),
      score,
      ...(include.includes('title') && { title }),
      ...(include.includes('text') && { text }),
    }
  }
  return { texts: { documents: given }, shown }
}
