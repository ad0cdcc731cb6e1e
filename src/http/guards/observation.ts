import type { HttpContext, Server } from '../http-context.ts'

/**
 * Request ids, metrics and the request log. The route's pattern stands for the path everywhere: paths and queries
 * hold ids and filters, which are the caller's data.
 */
export function addObservation(server: Server, { metrics }: HttpContext): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    reply.header('x-content-type-options', 'nosniff')
    reply.header('cache-control', 'no-store')
    const started = performance.now()
    // Not onResponse: that one is silent where the client went away.
    reply.raw.once('close', () => {
      const route = request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown')
      const seconds = (performance.now() - started) / 1000
      const status = reply.raw.writableFinished ? reply.statusCode : 499
      metrics.observeRequest(request.method, route, status, seconds)
      const facts = {
        method: request.method,
        route,
        status,
        ms: Math.round(seconds * 1000),
      }
      // 503 is an answer, not an accident: starting, draining or late.
      if (status >= 500 && status !== 503) request.log.warn(facts, 'request')
      else request.log.debug(facts, 'request')
    })
  })
}

/** The caller's X-Request-Id where it is harmless, else a new one. */
export function requestId(headers: NodeJS.Dict<string | string[]>): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : crypto.randomUUID()
}
