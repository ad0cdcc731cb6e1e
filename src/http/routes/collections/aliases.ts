import { Type } from 'typebox'
import { mayReach } from '../../guards/collection-rights.ts'
import type { HttpContext, Server } from '../../http-context.ts'
import { PROBLEMS } from '../../wire/schemas.ts'
import { CollectionName } from './collection-schemas.ts'

const Name = Type.String({
  maxLength: 64,
  description: 'Made like the name of a collection.',
  examples: ['live'],
})
const Params = Type.Object({ alias: Name })
const Answer = Type.Object({ alias: Name, collection: Type.String() })
const tags = ['collections']

/** Other names of collections. */
export function aliasRoutes(server: Server, { collections }: HttpContext): void {
  server.put(
    '/aliases/:alias',
    {
      config: { access: 'write', audit: true },
      schema: {
        tags,
        operationId: 'setAlias',
        summary: 'Make an alias, or have it name another collection',
        description:
          'In one step: a request gets the collection of before or the new one, and one that has begun stays with what it has. It is on the disk when the answer comes.',
        params: Params,
        body: Type.Object({ collection: CollectionName }, { additionalProperties: false }),
        response: { 200: Answer, ...PROBLEMS },
      },
    },
    async (request) => {
      const { alias } = request.params
      const collection = collections().resolve(request.body.collection)
      await collections().setAlias(alias, collection)
      return { alias, collection }
    },
  )

  server.get(
    '/aliases',
    {
      config: { access: 'read', reach: 'none' },
      schema: {
        tags,
        operationId: 'listAliases',
        summary: 'List aliases',
        response: { 200: Type.Object({ aliases: Type.Array(Answer) }), ...PROBLEMS },
      },
    },
    async (request) => ({
      aliases: collections()
        .aliases()
        .filter(({ collection }) => mayReach(request, collection)),
    }),
  )

  server.delete(
    '/aliases/:alias',
    {
      config: { access: 'write' },
      schema: {
        tags,
        operationId: 'deleteAlias',
        summary: 'Delete an alias',
        description: 'The collection that it names stays.',
        params: Params,
        response: { 200: Type.Object({ removed: Type.Integer() }), ...PROBLEMS },
      },
    },
    async (request) => {
      await collections().removeAlias(request.params.alias)
      return { removed: 1 }
    },
  )
}
