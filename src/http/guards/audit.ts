import type { FastifyRequest } from 'fastify'
import type { Server } from '../http-context.ts'

/** Why a request was refused: no key, one that nobody has, one of the past, or one that may not do this. */
export type Refusal = 'missing' | 'unknown' | 'expired' | 'scope'

interface Note {
  key?: string
  refusal?: Refusal
  blockedMs?: number
  silent?: boolean
}

const notes = new WeakMap<FastifyRequest, Note>()

/** What the audit line of a request says beside route and status. `silent` leaves a refusal's line out. */
export function noteForAudit(request: FastifyRequest, note: Note): void {
  notes.set(request, { ...notes.get(request), ...note })
}

/**
 * A line at `info` for every deletion, every answer of a route with `audit: true`, and every refused key, with the key's
 * name. The route's pattern stands for the path: no line holds an id, a filter or a key.
 */
export function addAudit(server: Server): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => {
      const { key, refusal, blockedMs, silent = false } = notes.get(request) ?? {}
      const { method, is404, routeOptions } = request
      const audited = !is404 && (routeOptions.config.audit === true || method === 'DELETE')
      if (silent || !(audited || refusal)) return
      const facts = {
        audit: true,
        method,
        route: is404 ? 'unknown' : (routeOptions.url ?? 'unknown'),
        ...(key !== undefined && { key_name: key }),
        status: reply.raw.writableFinished ? reply.statusCode : 499,
        ...(refusal && { refusal }),
        ...(blockedMs && { blocked_ms: blockedMs }),
        address: request.ip,
      }
      request.log.info(facts, 'audit')
    })
  })
}
