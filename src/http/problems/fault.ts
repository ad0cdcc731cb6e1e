import type { FastifyError } from 'fastify'
import { ServiceError, toServiceError } from '../../errors.ts'
import type { BodyMax } from '../limits.ts'
import { TransportFault } from './problem.ts'

/** Fastify's own refusals, by its error code. */
const FASTIFY_FAULTS: Record<string, (body: BodyMax) => ServiceError | TransportFault> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new TransportFault('UNSUPPORTED_MEDIA_TYPE', 'This route does not take this Content-Type.'),
  FST_ERR_CTP_BODY_TOO_LARGE: ({ bytes, setting }) =>
    new ServiceError('TOO_LARGE', `The body is larger than ${bytes} bytes (${setting}).`, { limit: bytes }),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new TransportFault('MALFORMED_REQUEST', 'The body is shorter or longer than its Content-Length.'),
  FST_ERR_MAX_PARAM_LENGTH: () => new TransportFault('URL_TOO_LONG', 'The path is too long.'),
}

/**
 * Any thrown thing as a fault to answer with. Messages of foreign errors are never passed on: a JSON parser's
 * message quotes what it could not parse.
 */
export function faultOf(thrown: unknown, body: BodyMax): ServiceError | TransportFault {
  if (thrown instanceof ServiceError || thrown instanceof TransportFault) return thrown
  const { code, statusCode } = thrown as Partial<FastifyError>
  const known = code === undefined ? undefined : FASTIFY_FAULTS[code]
  if (known) return known(body)
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new TransportFault('MALFORMED_REQUEST', 'The request cannot be read as HTTP with a JSON body.')
  }
  return toServiceError(thrown)
}
