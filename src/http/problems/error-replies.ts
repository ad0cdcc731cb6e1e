import type { FastifyReply, FastifyRequest } from 'fastify'
import { causeText } from '../../cause.ts'
import type { Server } from '../http-context.ts'
import { type BodyMax, bodyMax, type HttpLimits, queryBodyMax } from '../limits.ts'
import { faultOf } from './fault.ts'
import { problemOf, retryAfterSeconds } from './problem.ts'

/** Every error leaves as problem+json; faults of ours are logged with their cause. */
export function addErrorReplies(server: Server, limits: BodyLimits): void {
  server.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, limits))
}

type BodyLimits = Pick<HttpLimits, 'bodyBytesMax' | 'queryBodyBytesMax'>

/** @param members that the problem has besides its own */
export function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  limits: BodyLimits,
  members: object = {},
): FastifyReply {
  const fault = faultOf(error, bodyMaxOf(request, limits))
  const problem = problemOf(fault, request.id)
  if (problem.status >= 500 && problem.code !== 'UNAVAILABLE' && problem.code !== 'ABORTED') {
    request.log.error({ code: problem.code, cause: causeText(fault.cause ?? fault) }, fault.message)
  }
  const retryAfter = retryAfterSeconds(fault)
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  // What is left of an unread body is not worth reading.
  if (!request.raw.complete) reply.header('connection', 'close')
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .send(JSON.stringify({ ...problem, ...members }))
}

/** The limit that the request's route has. */
function bodyMaxOf({ routeOptions }: FastifyRequest, limits: BodyLimits): BodyMax {
  const query = queryBodyMax(limits)
  return routeOptions?.bodyLimit === query.bytes ? query : bodyMax(limits)
}
