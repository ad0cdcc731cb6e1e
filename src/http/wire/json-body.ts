import type { FastifyRequest } from 'fastify'
import { ServiceError } from '../../errors.ts'
import type { Server } from '../http-context.ts'
import { TransportFault } from '../problems/problem.ts'
import { JsonFault, ListFault } from './i-json.ts'
import { type ItemsMax, parseLargeJson } from './large-json.ts'
import { checkCharset } from './media-type.ts'

/**
 * JSON bodies by the rules of i-json.ts, in place of Fastify's own parser. A route has a body exactly where its
 * schema says so; without one, a Content-Type says nothing.
 */
export function addJsonBody(server: Server): void {
  server.removeContentTypeParser(['application/json', 'text/plain'])
  server.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, readJson)
  server.addHook('onRequest', async (request) => {
    if (request.is404 || takesBody(request)) return
    const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers
    if (Number(length) > 0 || encoding !== undefined) {
      throw new TransportFault('MALFORMED_REQUEST', 'This route takes no body; send the request without one.')
    }
    delete request.headers['content-type']
  })
  server.addHook('preValidation', async (request) => {
    if (request.body === undefined && takesBody(request)) {
      throw new TransportFault('MALFORMED_REQUEST', 'The request has no body; send one as application/json.')
    }
  })
}

/** Lets the routes of a scope take merge patches (RFC 7396) under their own media type. */
export function addMergePatchBody(scope: Pick<Server, 'addContentTypeParser'>): void {
  scope.addContentTypeParser<Buffer>('application/merge-patch+json', { parseAs: 'buffer' }, readJson)
}

async function readJson(request: FastifyRequest, bytes: Buffer): Promise<unknown> {
  if (request.is404) return undefined
  checkCharset(request.headers['content-type'])
  return bytes.length === 0 ? undefined : parseBody(bytes, itemsMaxOf(request.routeOptions.schema?.body))
}

function takesBody({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.schema?.body !== undefined
}

const known = new WeakMap<object, ItemsMax>()

/** The limits of the lists that are fields of a body. */
function itemsMaxOf(schema: unknown): ItemsMax {
  const { content, properties = {} } = (schema ?? {}) as BodySchema
  const json = content?.['application/json']
  if (json) return itemsMaxOf(json.schema)
  const limits =
    known.get(properties) ??
    new Map(
      Object.entries(properties).flatMap(([name, { maxItems }]) =>
        maxItems === undefined ? [] : [[name, maxItems] as const],
      ),
    )
  known.set(properties, limits)
  return limits
}

/** What is read of it here. */
interface BodySchema {
  properties?: Record<string, { maxItems?: number }>
  content?: Record<string, { schema: unknown }>
}

async function parseBody(bytes: Buffer, itemsMax: ItemsMax): Promise<unknown> {
  try {
    return await parseLargeJson(bytes, 'The body', itemsMax)
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    const { kind, message, field } = error
    if (kind === 'syntax') throw new TransportFault('MALFORMED_REQUEST', message)
    if (error instanceof ListFault)
      throw new ServiceError('TOO_LARGE', message, { field, limit: error.limit })
    throw new ServiceError('INVALID_INPUT', message, { field })
  }
}
