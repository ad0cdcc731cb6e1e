import type { FastifyRequest } from 'fastify'
import { ServiceError } from '../../errors.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { sendProblem } from '../problems/error-replies.ts'

const controllers = new WeakMap<FastifyRequest, AbortController>()

/**
 * Fires when the caller goes away or the request's deadline passes. (Fastify's own `request.signal` fires as soon
 * as a body has been read, because Node then emits the request's `close`.)
 */
export function signalOf(request: FastifyRequest): AbortSignal {
  const controller = controllers.get(request) ?? new AbortController()
  controllers.set(request, controller)
  return controller.signal
}

/** REQUEST_TIMEOUT_MS over the whole request, reading its body included; routes with a deadline of their own apart. */
export function addDeadline(server: Server, { config }: HttpContext): void {
  const { requestTimeoutMs } = config
  server.addHook('onRequest', async (request, reply) => {
    signalOf(request)
    const controller = controllers.get(request)!
    const expire = () => {
      const message = `The request took longer than ${requestTimeoutMs} ms (REQUEST_TIMEOUT_MS).`
      const error = new ServiceError('ABORTED', message)
      if (reply.raw.headersSent) reply.raw.destroy()
      else if (!reply.sent) sendProblem(error, request, reply, config)
      controller.abort(error)
    }
    const timer = request.routeOptions.config.ownDeadline ? undefined : setTimeout(expire, requestTimeoutMs)
    reply.raw.once('close', () => {
      clearTimeout(timer)
      if (!reply.raw.writableFinished) controller.abort()
    })
  })
}
