import { Type } from 'typebox'
import type { Reranker } from '../../reranker/reranker.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { queryBodyMax } from '../limits.ts'
import { PROBLEMS } from '../wire/schemas.ts'
import { ChunkingFields, chunkingOf } from './collections/collection-schemas.ts'

const perPrompt = <T extends Type.TSchema>(schema: T) => Type.Object({ ebar: schema, ebae: schema })

const Info = Type.Object({
  model: Type.Object({
    id: Type.String(),
    dimensions: Type.Integer(),
    fingerprint: Type.String({
      description: 'Identity of the vector space: weights, tokenizer, prompts, pooling and precision.',
    }),
    precision: Type.String(),
    max_tokens: perPrompt(Type.Integer({ description: 'Most tokens of one text, prompt included.' })),
    prompts: perPrompt(Type.String({ description: '`{text}` stands for the text.' })),
    licence: Type.String(),
  }),
  device: Type.String({ examples: ['cpu'] }),
  device_reason: Type.String(),
  reranker: Type.Optional(
    Type.Object(
      {
        id: Type.String(),
        fingerprint: Type.String({
          description: 'Identity of the scores: weights, tokenizer, template, head and precision.',
        }),
        precision: Type.String(),
        max_tokens: Type.Integer({
          description: 'Most tokens of a query, a text and the template together.',
        }),
        max_query_tokens: Type.Integer(),
        template: Type.String({ description: '`{query}` and `{text}` stand for the two.' }),
        licence: Type.String(),
        device: Type.String({ examples: ['cpu'] }),
        device_reason: Type.String(),
      },
      { description: 'Absent where the service runs none.' },
    ),
  ),
  store: Type.Object({
    engine: Type.String(),
    documents: Type.Integer(),
    tombstones: Type.Integer(),
    damaged_documents: Type.Integer({
      description:
        'Documents that are damaged on the disk and left out of every answer. 0 where all is well.',
    }),
    file_damaged: Type.Boolean({
      description:
        'Whether pages or indexes of the database are damaged; documents that can be read are served.',
    }),
    missing_commits: Type.Integer({
      description: 'Acknowledged writes that the database has lost, with its log. 0 where all is well.',
    }),
  }),
  ...ChunkingFields,
  version: Type.String(),
  limits: Type.Record(Type.String(), Type.Integer(), { description: 'Limits of one request.' }),
})

export function infoRoute(server: Server, { config, version, retrieval }: HttpContext): void {
  server.get(
    '/info',
    {
      config: { access: 'read', reach: 'collection' },
      schema: {
        tags: ['operation'],
        operationId: 'info',
        summary: 'Model, index, version and limits',
        response: { 200: Info, ...PROBLEMS },
      },
    },
    async (request) => {
      const { encoder, reranker, index } = await retrieval(request)
      const { id, dimensions, fingerprint, precision, maxTokens, prompts, licence } = encoder.card
      const { engine, documents, own } = await index.stats()
      return {
        model: { id, dimensions, fingerprint, precision, max_tokens: maxTokens, prompts, licence },
        device: encoder.device.provider,
        device_reason: encoder.device.reason,
        ...(reranker && { reranker: rerankerInfo(reranker) }),
        store: {
          engine,
          documents,
          tombstones: own['tombstones'] ?? 0,
          damaged_documents: own['damagedDocuments'] ?? 0,
          file_damaged: own['fileDamaged'] === 1,
          missing_commits: own['missingCommits'] ?? 0,
        },
        ...chunkingOf(index.settings),
        version,
        limits: {
          body_bytes: config.bodyBytesMax,
          query_body_bytes: queryBodyMax(config).bytes,
          text_bytes: config.textBytesMax,
          query_bytes: config.queryBytesMax,
          texts: config.textsPerRequestMax,
          queries: config.queriesPerRequestMax,
          documents: config.documentsPerRequestMax,
          k: config.kMax,
          ef: config.efMax,
          rerank_documents: config.rerankDocumentsMax,
          rerank_top_n: config.rerankTopNMax,
        },
      }
    },
  )
}

function rerankerInfo({ card, device }: Reranker) {
  const { id, fingerprint, precision, maxTokens, maxQueryTokens, template, licence } = card
  return {
    id,
    fingerprint,
    precision,
    max_tokens: maxTokens,
    max_query_tokens: maxQueryTokens,
    template,
    licence,
    device: device.provider,
    device_reason: device.reason,
  }
}
