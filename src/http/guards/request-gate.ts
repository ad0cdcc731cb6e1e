import { ServiceError } from '../../errors.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { TransportFault } from '../problems/problem.ts'

/** Refuses requests that cannot be served: wrong moment, too many at once, an encoded body. */
export function addRequestGate(server: Server, { state, config }: HttpContext): void {
  let open = 0
  server.addHook('onRequest', async (request, reply) => {
    const { always = false } = request.routeOptions.config
    if (always || request.is404) return
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') {
      throw new TransportFault('UNSUPPORTED_MEDIA_TYPE', 'Send the body without Content-Encoding.')
    }
    checkState(state())
    if (open >= config.requestsMax) {
      const message = `${config.requestsMax} requests are being served already (REQUESTS_MAX); try again in a moment.`
      throw new ServiceError('OVERLOADED', message, { limit: config.requestsMax })
    }
    open++
    // `close` comes once for every response, sent or broken off.
    reply.raw.once('close', () => open--)
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
