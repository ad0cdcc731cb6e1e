import { ServiceError } from '../../errors.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { TransportFault } from '../problems/problem.ts'
import { Places } from './places.ts'

/** Refuses requests that cannot be served: wrong moment, too many at once, an encoded body. */
export function addRequestGate(server: Server, { state, config }: HttpContext): void {
  const places = new Places({
    max: config.requestsMax,
    clientSharePercent: config.clientSharePercent,
    what: 'requests',
    setting: 'REQUESTS_MAX',
  })
  server.addHook('onRequest', async (request) => {
    const { always = false } = request.routeOptions.config
    if (always || request.is404) return
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') {
      throw new TransportFault('UNSUPPORTED_MEDIA_TYPE', 'Send the body without Content-Encoding.')
    }
    checkState(state())
    places.check(request)
  })
  // Only when the body is there: who sends one slowly, or half of it, keeps nobody's place.
  server.addHook('preValidation', async (request, reply) => {
    if (!request.routeOptions.config.always && !request.is404) places.take(request, reply)
  })
  // A kept-alive connection would hold the end up until its keep-alive ran out.
  server.addHook('onSend', async (_request, reply) => {
    if (state() !== 'ready') reply.header('connection', 'close')
  })
}

/** @throws ServiceError UNAVAILABLE unless ready */
export function checkState(state: ReturnType<HttpContext['state']>): void {
  if (state === 'ready') return
  const why = {
    starting: 'The service is starting; GET /readyz answers 200 when it is ready.',
    draining: 'The service is shutting down.',
    failed: 'A part of the service has stopped; restart the service.',
  }
  throw new ServiceError('UNAVAILABLE', why[state])
}
