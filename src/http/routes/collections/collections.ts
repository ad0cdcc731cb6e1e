import { Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import { cursorAfter, placeOfCursor } from '../../../index/cursor.ts'
import { collectionOf, mayReach } from '../../guards/collection-rights.ts'
import { signalOf } from '../../guards/deadline.ts'
import type { HttpContext, Server } from '../../http-context.ts'
import { PROBLEMS } from '../../wire/schemas.ts'
import {
  answerOf,
  ChangeBody,
  CollectionAnswer,
  CollectionName,
  NewCollectionBody,
  settingsOf,
} from './collection-schemas.ts'

const PAGE_SIZE = 100
const Params = Type.Object({ collection: CollectionName })
const tags = ['collections']

/** Making, looking at, changing and dropping collections as a whole. */
export function collectionRoutes(server: Server, { config, collections }: HttpContext): void {
  server.put(
    '/collections/:collection',
    {
      config: { access: 'write', audit: true },
      schema: {
        tags,
        operationId: 'createCollection',
        summary: 'Create a collection',
        description:
          'Empty, and there for good when the answer comes. A body of `{}` makes it like the service is set. COLLECTIONS_MAX bounds how many there may be.',
        params: Params,
        body: NewCollectionBody,
        response: { 201: CollectionAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { collection } = request.params
      const { model, vectors, ...settings } = request.body
      const { encoder } = collections().default
      if (model !== undefined && (model !== encoder.card.id || vectors)) {
        const message = vectors
          ? 'Give model or vectors, not both: vectors of your own are of no model here.'
          : `This service runs the model ${encoder.card.id}; leave model out, or name that.`
        throw new ServiceError('INVALID_INPUT', message, { field: 'model' })
      }
      await collections().create(collection, {
        ...vectors,
        settings: settingsOf(settings, encoder.card.bodyTokens.ebae),
      })
      const info = await collections().info(collection)
      return reply.code(201).header('location', `/collections/${collection}`).send(answerOf(info))
    },
  )

  server.get(
    '/collections',
    {
      config: { access: 'read', reach: 'none' },
      schema: {
        tags,
        operationId: 'listCollections',
        summary: 'List collections',
        description:
          'In the order of their names, `default` among them. A key for single collections sees those.',
        querystring: Type.Object(
          {
            cursor: Type.Optional(Type.String({ description: '`next_cursor` of the previous page.' })),
            limit: Type.Optional(
              Type.Integer({ minimum: 1, maximum: config.pageSizeMax, description: `Default ${PAGE_SIZE}.` }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            collections: Type.Array(CollectionAnswer),
            next_cursor: Type.Unsafe<string | null>({
              type: ['string', 'null'],
              description: 'null on the last page.',
            }),
          }),
          ...PROBLEMS,
        },
      },
    },
    async (request) => {
      const { cursor, limit = Math.min(PAGE_SIZE, config.pageSizeMax) } = request.query
      const after = cursor === undefined ? '' : placeOfCursor(cursor, []).id
      const names = collections()
        .names()
        .filter((name) => name > after && mayReach(request, name))
      const page: ReturnType<typeof answerOf>[] = []
      for (const name of names.slice(0, limit)) page.push(answerOf(await collections().info(name)))
      const last = page.at(-1)
      return {
        collections: page,
        next_cursor: names.length > limit && last ? cursorAfter({ id: last.name, values: [] }, []) : null,
      }
    },
  )

  server.get(
    '/collections/:collection',
    {
      config: { access: 'read', reach: 'collection' },
      schema: {
        tags,
        operationId: 'readCollection',
        summary: 'What a collection is, and how much it holds',
        params: Params,
        response: { 200: CollectionAnswer, ...PROBLEMS },
      },
    },
    async (request) => {
      const name = collectionOf(request, collections())
      return answerOf(await collections().figures(name, { signal: signalOf(request) }))
    },
  )

  server.patch(
    '/collections/:collection',
    {
      config: { access: 'write', reach: 'collection', audit: true },
      schema: {
        tags,
        operationId: 'changeCollection',
        summary: 'Change how a collection is searched',
        description:
          'What else it is stays as it was made: for another model or other passages, copy it (POST /collections/{collection}/copy).',
        params: Params,
        body: ChangeBody,
        response: { 200: CollectionAnswer, ...PROBLEMS },
      },
    },
    async (request) => {
      const options = { signal: signalOf(request) }
      const name = collectionOf(request, collections())
      const { mode, hnsw } = settingsOf(request.body, 0)
      const known = (await collections().info(name)).settings?.hnsw
      const change = { ...(mode && { mode }), ...(hnsw && { hnsw: { ...known, ...hnsw } }) }
      await collections().configure(name, change, options)
      return answerOf(await collections().figures(name, options))
    },
  )

  server.delete(
    '/collections/:collection',
    {
      config: { access: 'write' },
      schema: {
        tags,
        operationId: 'dropCollection',
        summary: 'Drop a collection with all of its documents',
        description:
          'By its own name, not by an alias. Refused with 409 while an alias names it. Waits for requests that use it; new ones get 404 meanwhile.',
        params: Params,
        response: { 200: Type.Object({ removed: Type.Integer() }), ...PROBLEMS },
      },
    },
    async (request) => {
      await collections().drop(request.params.collection, { signal: signalOf(request) })
      return { removed: 1 }
    },
  )
}
