import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { Server } from '../http-context.ts'
import { checkCharset, NDJSON_TYPES } from './media-type.ts'

/** Lets the routes of a scope take NDJSON: their body stays a stream. */
export function addNdjsonBody(scope: Pick<Server, 'addContentTypeParser'>): void {
  scope.addContentTypeParser(NDJSON_TYPES, async ({ headers }: FastifyRequest, body: IncomingMessage) => {
    checkCharset(headers['content-type'])
    return body
  })
}
