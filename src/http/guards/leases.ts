import type { ServerResponse } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { HttpContext, HttpParts, Server } from '../http-context.ts'
import { collectionOf } from './collection-rights.ts'
import { signalOf } from './deadline.ts'

const responses = new WeakMap<FastifyRequest, ServerResponse>()

/** Remembers what a request is answered with, so that its collection can be let go then. */
export function addLeases(server: Server): void {
  server.addHook('onRequest', async (request, reply) => {
    responses.set(request, reply.raw)
  })
}

/** The collection that a request's path names, by name or by alias, open until the request has been answered. */
export function leasing({ collections }: HttpParts): HttpContext['retrieval'] {
  return async (request) => {
    const found = collections()
    const { retrieval, release } = await found.lease(collectionOf(request, found), {
      signal: signalOf(request),
    })
    const response = responses.get(request)
    // `close` comes once for every response, sent or broken off.
    if (!response || response.closed) release()
    else response.once('close', release)
    return retrieval
  }
}
