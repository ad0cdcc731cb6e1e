import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifySchema, RouteOptions } from 'fastify'
import type { HttpContext, Server } from '../../http-context.ts'
import { addNdjsonBody } from '../../wire/ndjson-body.ts'
import { documentRoutes } from '../documents.ts'
import { ingestRoute } from '../ingest.ts'
import { listingRoutes } from '../listing.ts'
import { rerankRoute } from '../rerank/rerank.ts'
import { searchRoute } from '../search/search.ts'
import { CollectionName } from './collection-schemas.ts'

/** Every route that works on what one collection holds: written once, it is there for the default one and for all. */
function routesOfOne(scope: Server, context: HttpContext): void {
  // In a scope of its own: only ingest takes a body that stays a stream.
  scope.register(async (inner) => {
    addNdjsonBody(inner)
    ingestRoute(inner.withTypeProvider<TypeBoxTypeProvider>(), context)
  })
  listingRoutes(scope, context)
  documentRoutes(scope, context)
  searchRoute(scope, context)
  rerankRoute(scope, context)
}

/** The routes of one collection, twice: for `default` at the root, and under `/collections/{collection}` for each. */
export function routesOfCollections(server: Server, context: HttpContext): void {
  server.register(async (scope) => {
    scope.addHook('onRoute', reachCollection)
    routesOfOne(scope.withTypeProvider<TypeBoxTypeProvider>(), context)
  })
  server.register(
    async (scope) => {
      scope.addHook('onRoute', reachCollection)
      scope.addHook('onRoute', describeForAny)
      routesOfOne(scope.withTypeProvider<TypeBoxTypeProvider>(), context)
    },
    { prefix: '/collections/:collection' },
  )
}

function reachCollection(route: RouteOptions): void {
  route.config = { ...route.config, reach: 'collection' }
}

/** In the contract, the second time: another name, and the parameter. */
function describeForAny(route: RouteOptions): void {
  const { schema = {} } = route
  const { operationId = '', params } = schema
  route.schema = {
    ...schema,
    operationId: `${operationId}InCollection`,
    tags: ['collections'],
    params: withCollection(params),
  }
}

function withCollection(params: unknown): FastifySchema['params'] {
  const { properties = {}, required = [] } = (params ?? {}) as { properties?: object; required?: string[] }
  return {
    type: 'object',
    properties: { collection: CollectionName, ...properties },
    required: ['collection', ...required],
  }
}
