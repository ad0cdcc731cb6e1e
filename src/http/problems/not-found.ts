import type { FastifyReply, FastifyRequest } from 'fastify'
import { ServiceError } from '../../errors.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { sendProblem } from './error-replies.ts'
import { TransportFault } from './problem.ts'

/** 404 for unknown paths, 405 with Allow for known paths with another method. Added before the routes. */
export function addNotFound(server: Server, { config }: HttpContext): void {
  const routes: { pattern: RegExp; method: string }[] = []
  server.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+')}$`)
    for (const name of [method].flat()) routes.push({ pattern, method: name })
  })
  const answer = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const path = request.url.split('?', 1)[0] ?? ''
    const allowed = routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)
    if (allowed.length === 0) {
      const error = new ServiceError('NOT_FOUND', 'There is no such route; GET /docs lists them.')
      return sendProblem(error, request, reply, config)
    }
    const methods = [...new Set(allowed)].sort()
    reply.header('allow', methods.join(', '))
    const error = new TransportFault('METHOD_NOT_ALLOWED', `Use ${methods.join(' or ')} here.`, {
      allow: methods,
    })
    return sendProblem(error, request, reply, config)
  }
  server.setNotFoundHandler(answer)
  // Fastify itself refuses a QUERY without a Content-Type, before it looks whether there is a route.
  server.addHook('onRequest', async (request, reply) => {
    if (request.is404 && request.method === 'QUERY') return answer(request, reply)
  })
}
