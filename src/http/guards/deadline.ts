import type { FastifyReply, FastifyRequest } from 'fastify'
import { ServiceError } from '../../errors.ts'
import type { HttpConfig, HttpContext, Server } from '../http-context.ts'
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

/** Of REQUEST_TIMEOUT_MS, for what comes after work that may be left out. */
const ANSWER_SHARE = 0.1

/**
 * Until when, by `performance.now()`, a request may spend time on what its answer can do without.
 * @param reply of the request
 */
export function answerUntil(
  { elapsedTime }: FastifyReply,
  { requestTimeoutMs }: Pick<HttpConfig, 'requestTimeoutMs'>,
): number {
  return performance.now() - elapsedTime + requestTimeoutMs * (1 - ANSWER_SHARE)
}

/** Ends a request in the middle of its body or its work: the client learns why, the work is aborted. */
export function giveUp(
  error: ServiceError,
  request: FastifyRequest,
  reply: FastifyReply,
  config: HttpConfig,
): void {
  if (reply.raw.headersSent) reply.raw.destroy()
  else if (!reply.sent) sendProblem(error, request, reply, config)
  controllers.get(request)?.abort(error)
}

/**
 * REQUEST_TIMEOUT_MS over the whole request, reading its body included. A route with a deadline of its own has that
 * long for its answer to be read, or as long as it says.
 */
export function addDeadline(server: Server, { config }: HttpContext): void {
  const { requestTimeoutMs } = config
  const timers = new WeakMap<FastifyRequest, NodeJS.Timeout>()
  server.addHook('onRequest', async (request, reply) => {
    signalOf(request)
    const controller = controllers.get(request)!
    const expire = () => {
      const message = `The request took longer than ${requestTimeoutMs} ms (REQUEST_TIMEOUT_MS).`
      giveUp(new ServiceError('ABORTED', message), request, reply, config)
    }
    if (!request.routeOptions.config.ownDeadline) timers.set(request, setTimeout(expire, requestTimeoutMs))
    reply.raw.once('close', () => {
      clearTimeout(timers.get(request))
      if (!reply.raw.writableFinished) controller.abort()
    })
  })
  server.addHook('onSend', async (request, reply) => {
    if (timers.has(request) || reply.raw.destroyed) return
    const { answerMsMax = requestTimeoutMs } = request.routeOptions.config
    timers.set(
      request,
      setTimeout(() => reply.raw.destroy(), answerMsMax),
    )
  })
}
