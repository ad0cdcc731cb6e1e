import { Type } from 'typebox'
import { copyCollection } from '../../../collections/copy-collection.ts'
import { ServiceError } from '../../../errors.ts'
import type { Retrieval } from '../../../retrieval/retrieval.ts'
import { collectionOf } from '../../guards/collection-rights.ts'
import { signalOf } from '../../guards/deadline.ts'
import { forClient } from '../../guards/for-client.ts'
import type { HttpContext, Server } from '../../http-context.ts'
import { PROBLEMS } from '../../wire/schemas.ts'
import {
  answerOf,
  CollectionAnswer,
  CollectionName,
  SettingsFields,
  settingsOf,
} from './collection-schemas.ts'

const Copied = Type.Object({
  collection: CollectionAnswer,
  copied: Type.Integer({ description: 'Documents.' }),
  failed: Type.Integer({ description: 'Documents that the new collection does not take.' }),
  errors: Type.Array(Type.Object({ id: Type.String(), code: Type.String(), detail: Type.String() }), {
    description: 'The first 100 of those.',
  }),
})

/** Making a collection of another one. */
export function copyRoute(server: Server, { config, collections }: HttpContext): void {
  server.post(
    '/collections/:collection/copy',
    {
      config: { access: 'write', ownDeadline: true, audit: true },
      schema: {
        tags: ['collections'],
        operationId: 'copyCollection',
        summary: 'Copy a collection into a new one',
        description:
          'The new one is like the other, but for what is said here. Vectors are taken where they are of the model that runs (or your own) and `chunking` is the same, and made of the texts else. The answer comes when everything is on the disk, within INGEST_TIMEOUT_MS; if it fails, or the caller goes away, nothing is left of the new one. What is written to the other meanwhile may be missing. COPY_DOCUMENTS_MAX bounds how much one request copies.',
        params: Type.Object({ collection: CollectionName }),
        body: Type.Object(
          {
            to: Type.String({
              maxLength: 64,
              description: 'Name of the new collection.',
              examples: ['docs-2'],
            }),
            ...SettingsFields,
          },
          { additionalProperties: false, examples: [{ to: 'docs-2', analysis: 'plain' }] },
        ),
        response: { 201: Copied, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { to, ...wish } = request.body
      const found = collections()
      const from = collectionOf(request, found)
      const settings = settingsOf(wish, found.default.encoder.card.bodyTokens.ebae)
      const late = AbortSignal.timeout(config.ingestTimeoutMs)
      const signal = AbortSignal.any([signalOf(request), late])
      const options = {
        limits: config,
        signal,
        forClient: (retrieval: Retrieval) => forClient(retrieval, request, true),
      }
      const copying = copyCollection(found, { from, to, settings }, options)
      const { copied, failed, errors } = await copying.catch((error) => {
        if (!late.aborted) throw error
        const message = `The copy took longer than ${config.ingestTimeoutMs} ms (INGEST_TIMEOUT_MS); nothing of it was kept.`
        throw new ServiceError('ABORTED', message, {}, error)
      })
      const collection = answerOf(await found.figures(to, { signal: signalOf(request) }))
      return reply
        .code(201)
        .header('location', `/collections/${to}`)
        .send({ collection, copied, failed, errors })
    },
  )
}
