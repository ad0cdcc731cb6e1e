import { Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import type { RerankLimits } from '../../../retrieval/limits.ts'
import { type RerankAnswer, rerank } from '../../../retrieval/rerank/rerank.ts'
import { rerankerOf } from '../../../retrieval/rerank/reranker-of.ts'
import { signalOf } from '../../guards/deadline.ts'
import { forClient } from '../../guards/for-client.ts'
import type { HttpContext, Server } from '../../http-context.ts'
import { PROBLEMS, roundTimings, serverTiming } from '../../wire/schemas.ts'

/**
 * The two versions differ in what comes back where the request does not say: clients of /v1 may count on the texts,
 * those of /v2 do not know them.
 */
const VERSIONS = [
  { version: '1', returnsDocuments: true },
  { version: '2', returnsDocuments: false },
] as const

const bodySchema = ({ rerankDocumentsMax }: RerankLimits, returnsDocuments: boolean) =>
  Type.Object(
    {
      model: Type.Optional(
        Type.String({
          description: 'Id of the reranker in GET /info, or left out. Another one is refused (404).',
        }),
      ),
      query: Type.String({ examples: ['why is the sky blue'] }),
      documents: Type.Array(
        Type.Unsafe<string | { text: string }>({
          type: ['string', 'object'],
          properties: { text: Type.String() },
          required: ['text'],
          description: 'A text, or an object with `text`, of which nothing else is read.',
        }),
        { minItems: 1, maxItems: rerankDocumentsMax },
      ),
      top_n: Type.Optional(
        Type.Integer({ minimum: 1, description: 'How many results to return. Default: all.' }),
      ),
      return_documents: Type.Optional(
        Type.Boolean({ description: `Whether results hold their texts. Default ${returnsDocuments}.` }),
      ),
      max_tokens_per_doc: Type.Optional(
        Type.Integer({
          minimum: 1,
          description:
            'The model has a limit of its own, `max_tokens` in GET /info. A number below it is refused, one above it changes nothing.',
        }),
      ),
    },
    {
      description: 'Fields that are not listed are ignored.',
      examples: [
        {
          query: 'why is the sky blue',
          documents: ['Grass is green.', 'Air scatters blue light.'],
          top_n: 1,
        },
      ],
    },
  )

const Answer = Type.Object({
  id: Type.String({ description: 'Of the request, as in x-request-id.' }),
  model: Type.String(),
  results: Type.Array(
    Type.Object({
      index: Type.Integer({ description: 'Of the document in the request.' }),
      relevance_score: Type.Number({
        description: 'From 0 to 1: 1 / (1 + exp(-logit)). It compares texts for one query by one model.',
      }),
      document: Type.Optional(Type.Object({ text: Type.String() })),
    }),
    { description: 'Best first.' },
  ),
  meta: Type.Object({
    api_version: Type.Object({ version: Type.String() }),
    tokens: Type.Object({ input_tokens: Type.Integer() }),
    warnings: Type.Optional(Type.Array(Type.String(), { description: 'What was cut.' })),
  }),
  usage: Type.Object(
    { prompt_tokens: Type.Integer(), total_tokens: Type.Integer() },
    { description: 'Tokens that the model read. Both numbers are the same.' },
  ),
})

/** Reranking in the shape that clients of Cohere's and Jina's services send and read. */
export function compatibleRerankRoutes(server: Server, { config, collections }: HttpContext): void {
  for (const { version, returnsDocuments } of VERSIONS) {
    server.post(
      `/v${version}/rerank`,
      {
        config: { access: 'read', reach: 'none' },
        schema: {
          tags: ['reranking'],
          operationId: `rerankV${version}`,
          summary: `Order texts (as Cohere's and Jina's APIs do, v${version})`,
          description:
            'As POST /rerank, for clients that speak this shape. 404 (`NO_RERANKER`) where the service runs none.',
          body: bodySchema(config, returnsDocuments),
          response: { 200: Answer, ...PROBLEMS },
        },
      },
      async (request, reply) => {
        const { query, model, top_n, return_documents = returnsDocuments, max_tokens_per_doc } = request.body
        const parts = forClient(collections().default, request)
        checkTokensMax(max_tokens_per_doc, rerankerOf(parts, model).card.maxTokens)
        const documents = request.body.documents.map((given) => ({
          text: typeof given === 'string' ? given : given.text,
        }))
        const answer = await rerank(parts, {
          query,
          texts: { documents },
          ...(top_n !== undefined && { topN: top_n }),
          signal: signalOf(request),
        })
        reply.header('server-timing', serverTiming(roundTimings(answer.timings)))
        return {
          id: request.id,
          model: answer.model,
          results: answer.results.map(({ index, score }) => ({
            index,
            relevance_score: 1 / (1 + Math.exp(-score)),
            ...(return_documents && { document: documents[index]! }),
          })),
          meta: { api_version: { version }, tokens: { input_tokens: answer.tokens }, ...warningsOf(answer) },
          usage: { prompt_tokens: answer.tokens, total_tokens: answer.tokens },
        }
      },
    )
  }
}

/** @throws ServiceError INVALID_INPUT for a wish that cannot be kept to */
function checkTokensMax(wished: number | undefined, tokensMax: number): void {
  if (wished === undefined || wished >= tokensMax) return
  const message = `max_tokens_per_doc is below ${tokensMax}, what the model reads of a query and a text, and cannot be kept to; leave it out, or shorten the documents.`
  throw new ServiceError('INVALID_INPUT', message, { field: 'max_tokens_per_doc' })
}

function warningsOf({ truncated, queryTruncated }: RerankAnswer): { warnings?: string[] } {
  const warnings = [
    queryTruncated && 'The query is longer than the model reads and was cut at its end.',
    truncated.length > 0 &&
      `${truncated.length} documents are longer than the model reads and were cut at their ends; the first has index ${truncated[0]}.`,
  ].filter((line) => typeof line === 'string')
  return warnings.length > 0 ? { warnings } : {}
}
