import type { FastifyRequest } from 'fastify'
import { ServiceError } from '../../errors.ts'
import type { Server } from '../http-context.ts'
import { TransportFault } from '../problems/problem.ts'
import { JsonFault } from './i-json.ts'
import { parseLargeJson } from './large-json.ts'
import { checkCharset } from './media-type.ts'

/**
 * JSON bodies by the rules of i-json.ts, in place of Fastify's own parser. A route has a body exactly where its
 * schema says so; without one, a Content-Type says nothing.
 */
export function addJsonBody(server: Server): void {
  server.removeContentTypeParser(['application/json', 'text/plain'])
  server.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, bytes: Buffer) => {
      if (request.is404) return undefined
      checkCharset(request.headers['content-type'])
      return bytes.length === 0 ? undefined : parseBody(bytes)
    },
  )
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

function takesBody({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.schema?.body !== undefined
}

async function parseBody(bytes: Buffer): Promise<unknown> {
  try {
    return await parseLargeJson(bytes, 'The body')
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    if (error.kind === 'syntax') throw new TransportFault('MALFORMED_REQUEST', error.message)
    throw new ServiceError('INVALID_INPUT', error.message, { field: error.field })
  }
}
