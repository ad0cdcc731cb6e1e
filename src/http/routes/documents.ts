import { Type } from 'typebox'
import { ServiceError } from '../../errors.ts'
import type { Filter } from '../../index/filter.ts'
import { parseFilter } from '../../retrieval/checks/parse-filter.ts'
import { list, readOne, remove, removeOne } from '../../retrieval/documents.ts'
import { signalOf } from '../guards/deadline.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { queryBodyMax } from '../limits.ts'
import { JsonFault, parseIJson } from '../wire/i-json.ts'
import { DocumentFields, FilterSchema, Id, PROBLEMS } from '../wire/schemas.ts'

const PAGE_SIZE = 100

const Document = Type.Object(DocumentFields)
const Params = Type.Object({ id: Id })
const Removed = Type.Object({
  removed: Type.Integer({ description: 'How many documents were deleted.' }),
})

export function documentRoutes(server: Server, { config, retrieval }: HttpContext): void {
  server.get(
    '/documents',
    {
      config: { access: 'read' },
      schema: {
        tags: ['documents'],
        operationId: 'listDocuments',
        summary: 'List documents',
        description: 'In the order of their ids, one page at a time.',
        querystring: Type.Object(
          {
            cursor: Type.Optional(Type.String({ description: '`next_cursor` of the previous page.' })),
            limit: Type.Optional(
              Type.Integer({ minimum: 1, maximum: config.pageSizeMax, description: `Default ${PAGE_SIZE}.` }),
            ),
            filter: Type.Optional(
              Type.String({ description: 'A filter as JSON.', examples: ['{"year":2021}'] }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            documents: Type.Array(Document),
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
      const { cursor, limit = PAGE_SIZE, filter } = request.query
      const page = await list(retrieval(), {
        signal: signalOf(request),
        limit: Math.min(limit, config.pageSizeMax),
        ...(cursor !== undefined && { cursor }),
        ...filterFromText(filter),
      })
      return { documents: page.documents, next_cursor: page.nextCursor }
    },
  )

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
    async (request) => readOne(retrieval(), request.params.id, { signal: signalOf(request) }),
  )

  server.delete(
    '/documents/:id',
    {
      config: { access: 'write' },
      schema: {
        tags: ['documents'],
        operationId: 'deleteDocument',
        summary: 'Delete a document',
        params: Params,
        response: { 200: Removed, ...PROBLEMS },
      },
    },
    async (request) => removeOne(retrieval(), request.params.id, { signal: signalOf(request) }),
  )

  server.post(
    '/documents/delete',
    {
      bodyLimit: queryBodyMax(config).bytes,
      config: { access: 'write', audit: true },
      schema: {
        tags: ['documents'],
        operationId: 'deleteDocuments',
        summary: 'Delete documents by id or by filter',
        body: Type.Object(
          {
            ids: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: config.documentsPerRequestMax })),
            filter: Type.Optional(FilterSchema),
          },
          {
            additionalProperties: false,
            description: 'Exactly one of `ids`, `filter`.',
            examples: [{ ids: ['astro-17'] }, { filter: { year: { $lt: 2000 } } }],
          },
        ),
        response: { 200: Removed, ...PROBLEMS },
      },
    },
    async (request) => {
      const { ids, filter } = request.body
      const options = { signal: signalOf(request) }
      if (ids !== undefined && filter === undefined) return remove(retrieval(), { ids }, options)
      if (filter === undefined || ids !== undefined) {
        throw new ServiceError('INVALID_INPUT', 'Give exactly one of ids, filter.')
      }
      // An empty filter matches everything: too much to delete by mistake.
      if (Object.keys(filter).length === 0) {
        throw new ServiceError(
          'INVALID_INPUT',
          'filter is empty and would delete everything; say which documents to delete.',
          {
            field: 'filter',
          },
        )
      }
      return remove(retrieval(), { filter: parseFilter(filter) }, options)
    },
  )
}

/** @throws ServiceError INVALID_INPUT */
function filterFromText(text = 'null'): { filter?: Filter } {
  try {
    const filter = parseIJson(text, 'filter', 'filter')
    return filter === null ? {} : { filter: parseFilter(filter) }
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    throw new ServiceError('INVALID_INPUT', error.message, { field: 'filter' })
  }
}
