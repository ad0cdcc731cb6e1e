import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { ServiceError } from '../../errors.ts'
import { parseFilter } from '../../retrieval/checks/parse-filter.ts'
import { type RemoveTarget, readOne, remove, removeOne } from '../../retrieval/documents.ts'
import { signalOf } from '../guards/deadline.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { type HttpLimits, queryBodyMax } from '../limits.ts'
import { DocumentFields, FilterSchema, Id, PROBLEMS } from '../wire/schemas.ts'

const Document = Type.Object(DocumentFields)
const Params = Type.Object({ id: Id })
const Removed = Type.Object({
  removed: Type.Integer({ description: 'How many documents were deleted.' }),
})

const deletionSchema = ({ documentsPerRequestMax }: HttpLimits) =>
  Type.Object(
    {
      ids: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: documentsPerRequestMax })),
      filter: Type.Optional(FilterSchema),
      all: Type.Optional(
        Type.Unsafe<true>({ type: 'boolean', enum: [true], description: 'Delete every document.' }),
      ),
    },
    {
      additionalProperties: false,
      description:
        'Exactly one of `ids`, `filter`, `all`. A filter that matches every document whatever is stored, such as `{}`, is refused: say `all`.',
      examples: [{ ids: ['astro-17'] }, { filter: { year: { $lt: 2000 } } }, { all: true }],
    },
  )

export function documentRoutes(server: Server, { config, retrieval, places }: HttpContext): void {
  const takePlace = async (request: FastifyRequest, reply: FastifyReply) =>
    places.deletions.take(request, reply)

  server.get(
    '/documents/:id',
    {
      config: { access: 'read' },
      schema: {
        tags: ['documents'],
        operationId: 'readDocument',
        summary: 'Read a document',
        params: Params,
        response: { 200: Document, ...PROBLEMS },
      },
    },
    async (request) => readOne(await retrieval(request), request.params.id, { signal: signalOf(request) }),
  )

  server.delete(
    '/documents/:id',
    {
      preValidation: takePlace,
      config: { access: 'write' },
      schema: {
        tags: ['documents'],
        operationId: 'deleteDocument',
        summary: 'Delete a document',
        params: Params,
        response: { 200: Removed, ...PROBLEMS },
      },
    },
    async (request) => removeOne(await retrieval(request), request.params.id, { signal: signalOf(request) }),
  )

  server.post(
    '/documents/delete',
    {
      preValidation: takePlace,
      bodyLimit: queryBodyMax(config).bytes,
      config: { access: 'write', audit: true },
      schema: {
        tags: ['documents'],
        operationId: 'deleteDocuments',
        summary: 'Delete documents by id, by filter, or all',
        body: deletionSchema(config),
        response: { 200: Removed, ...PROBLEMS },
      },
    },
    async (request) => {
      return remove(await retrieval(request), targetOf(request.body), { signal: signalOf(request) })
    },
  )
}

/** @throws ServiceError INVALID_INPUT unless the body names exactly one target */
function targetOf({ ids, filter, all }: Static<ReturnType<typeof deletionSchema>>): RemoveTarget {
  const targets: RemoveTarget[] = []
  if (ids !== undefined) targets.push({ ids })
  if (filter !== undefined) targets.push({ filter: parseFilter(filter) })
  if (all !== undefined) targets.push({ all })
  const [target] = targets
  if (target && targets.length === 1) return target
  throw new ServiceError('INVALID_INPUT', 'Give exactly one of ids, filter, all.')
}
