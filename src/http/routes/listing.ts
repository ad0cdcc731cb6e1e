import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { ServiceError } from '../../errors.ts'
import type { SortKey } from '../../index/metadata/sort.ts'
import { dateFieldsOf } from '../../retrieval/checks/check-dates.ts'
import { parseFilter } from '../../retrieval/checks/parse-filter.ts'
import { parseSort } from '../../retrieval/checks/parse-sort.ts'
import { list } from '../../retrieval/documents.ts'
import { signalOf } from '../guards/deadline.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { queryBodyMax } from '../limits.ts'
import { JsonFault, parseIJson } from '../wire/i-json.ts'
import { DocumentFields, FilterSchema, Include, PROBLEMS } from '../wire/schemas.ts'
import type { EncodingFormat } from '../wire/vector-format.ts'
import { type FacetRequest, FacetsSchema, facetFields, facetsOf } from './metadata/facets.ts'
import { IncludeQuery, includeOf } from './metadata/include.ts'
import { sortField } from './metadata/sort.ts'
import {
  DocumentVectorFields,
  FormatField,
  type IncludeName,
  pageMax,
  splitInclude,
  vectorFields,
  vectorsOf,
} from './vectors/stored-vectors.ts'

const PAGE_SIZE = 100

const Cursor = Type.String({ description: '`next_cursor` of the previous page.' })
const Count = Type.Boolean({ description: 'Say how many documents match in all: `total`.' })

const { id, text, title, metadata } = DocumentFields
const Page = Type.Object({
  documents: Type.Array(
    Type.Object({
      id,
      title: Type.Optional(title),
      text: Type.Optional(text),
      metadata: Type.Optional(metadata),
      ...DocumentVectorFields,
    }),
  ),
  next_cursor: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'null on the last page.',
  }),
  total: Type.Optional(Type.Integer({ description: 'With `count`: how many documents match in all.' })),
  facets: FacetsSchema,
})

interface Listing {
  cursor?: string | undefined
  limit?: number | undefined
  /** As it was sent. */
  filter?: unknown
  include?: readonly IncludeName[] | undefined
  encoding_format?: EncodingFormat | undefined
  count?: boolean | undefined
  sort?: readonly SortKey[] | undefined
}

type Query = Listing & FacetRequest

/** Lists of documents, by a filter in the address or, of any size, in a body. */
export function listingRoutes(server: Server, { config, retrieval }: HttpContext): void {
  const Limit = Type.Integer({
    minimum: 1,
    maximum: config.pageSizeMax,
    description: `Most documents of the page, ${PAGE_SIZE} unless given; large ones make it shorter.`,
  })
  const description = 'In the order of their ids, one page at a time.'
  const response = { 200: Page, ...PROBLEMS }

  async function pageOf(
    {
      cursor,
      limit = PAGE_SIZE,
      filter,
      include,
      encoding_format: format = 'float',
      count = false,
      sort,
      ...facets
    }: Query,
    request: FastifyRequest,
  ) {
    const parts = await retrieval(request)
    const { fields, withVectors } = splitInclude(include)
    const parsed = filter !== undefined && {
      filter: parseFilter(filter, dateFieldsOf(parts.index.settings)),
    }
    const options = { signal: signalOf(request), ...parsed }
    const [{ documents, nextCursor, total }, counted] = await Promise.all([
      list(parts, {
        ...options,
        limit: Math.min(limit, config.pageSizeMax, withVectors ? pageMax(parts.index, config) : limit),
        count,
        ...(cursor !== undefined && { cursor }),
        ...(sort !== undefined && { sort }),
        ...(fields && { fields }),
      }),
      facetsOf(parts, facets, options),
    ])
    const ids = documents.map(({ id }) => id)
    const wish = { format, limits: config, signal: options.signal }
    const vectors = withVectors ? await vectorsOf(parts.index, ids, wish) : undefined
    return {
      documents: documents.map((document) => ({ ...document, ...vectorFields(vectors?.get(document.id)) })),
      next_cursor: nextCursor,
      ...(total !== undefined && { total }),
      ...counted,
    }
  }

  server.get(
    '/documents',
    {
      config: { access: 'read' },
      schema: {
        tags: ['documents'],
        operationId: 'listDocuments',
        summary: 'List documents',
        description,
        querystring: Type.Object(
          {
            cursor: Type.Optional(Cursor),
            limit: Type.Optional(Limit),
            filter: Type.Optional(
              Type.String({ description: 'A filter as JSON.', examples: ['{"year":2021}'] }),
            ),
            include: IncludeQuery,
            encoding_format: FormatField,
          },
          { additionalProperties: false },
        ),
        response,
      },
    },
    async (request) => {
      const { filter, include, ...query } = request.query
      return pageOf({ ...query, filter: filterFromText(filter), include: includeOf(include) }, request)
    },
  )

  server.post(
    '/documents/query',
    {
      bodyLimit: queryBodyMax(config).bytes,
      config: { access: 'read' },
      schema: {
        tags: ['documents'],
        operationId: 'queryDocuments',
        summary: 'List, sort and count documents by a filter of any size',
        description:
          'One page at a time, in the order of `sort`, or of their ids without it. A cursor goes on with the same `sort`.',
        body: Type.Object(
          {
            filter: Type.Optional(FilterSchema),
            cursor: Type.Optional(Cursor),
            limit: Type.Optional(Limit),
            include: Type.Optional(Include),
            encoding_format: FormatField,
            count: Type.Optional(Count),
            ...sortField(config),
            ...facetFields(config),
          },
          {
            additionalProperties: false,
            examples: [{ filter: { tags: { $in: ['space', 'light'] } }, include: ['title'], count: true }],
          },
        ),
        response,
      },
    },
    async (request) => {
      const { sort, ...body } = request.body
      return pageOf({ ...body, sort: sort && parseSort(sort) }, request)
    },
  )
}

/** @throws ServiceError INVALID_INPUT */
function filterFromText(text = 'null'): unknown {
  try {
    return parseIJson(text, 'filter', 'filter') ?? undefined
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    throw new ServiceError('INVALID_INPUT', error.message, { field: 'filter' })
  }
}
