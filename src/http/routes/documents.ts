import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { readOne, remove, removeOne } from '../../retrieval/documents.ts'
import { signalOf } from '../guards/deadline.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { type HttpLimits, queryBodyMax } from '../limits.ts'
import { addMergePatchBody } from '../wire/json-body.ts'
import { DocumentFields, Id, PROBLEMS } from '../wire/schemas.ts'
import { IncludeQuery, includeOf } from './metadata/include.ts'
import { patchRoutes } from './metadata/patch.ts'
import { TARGET_RULE, targetFields, targetOf } from './metadata/target.ts'
import {
  DocumentVectorFields,
  FormatField,
  splitInclude,
  vectorFields,
  vectorsOf,
} from './vectors/stored-vectors.ts'

const { id, text, title, metadata } = DocumentFields
const Document = Type.Object({
  id,
  title: Type.Optional(title),
  text: Type.Optional(text),
  metadata: Type.Optional(metadata),
  ...DocumentVectorFields,
})
const Params = Type.Object({ id: Id })
const Removed = Type.Object({
  removed: Type.Integer({ description: 'How many documents were deleted.' }),
})

const deletionSchema = (config: HttpLimits) =>
  Type.Object(targetFields(config, 'Delete every document.'), {
    additionalProperties: false,
    description: TARGET_RULE,
    examples: [{ ids: ['astro-17'] }, { filter: { year: { $lt: 2000 } } }, { all: true }],
  })

export function documentRoutes(server: Server, context: HttpContext): void {
  const { config, retrieval, places } = context
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
        querystring: Type.Object(
          { include: IncludeQuery, encoding_format: FormatField },
          { additionalProperties: false },
        ),
        response: { 200: Document, ...PROBLEMS },
      },
    },
    async (request) => {
      const { include, encoding_format: format = 'float' } = request.query
      const { fields, withVectors } = splitInclude(includeOf(include))
      const { id } = request.params
      const signal = signalOf(request)
      const parts = await retrieval(request)
      const document = await readOne(parts, id, { signal, ...(fields && { fields }) })
      if (!withVectors) return document
      const vectors = await vectorsOf(parts.index, [id], { format, limits: config, signal })
      return { ...document, ...vectorFields(vectors.get(id)) }
    },
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
      const parts = await retrieval(request)
      return remove(parts, targetOf(request.body, parts.index), { signal: signalOf(request) })
    },
  )

  server.register(async (scope) => {
    addMergePatchBody(scope)
    patchRoutes(scope.withTypeProvider<TypeBoxTypeProvider>(), context, takePlace)
  })
}
