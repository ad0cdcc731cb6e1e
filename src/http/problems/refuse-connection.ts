import { METHODS as NODE_METHODS, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { ServiceError } from '../../errors.ts'
import { problemOf, TransportFault } from './problem.ts'

/** What Node's parser says of bytes it cannot read as a request. */
interface ParserError {
  code: string
  /** A Buffer: the last bytes that came; the request may have begun before them. */
  rawPacket?: unknown
}

/** Every method that some route has, for clients whose method no parser knows. */
const METHODS = ['DELETE', 'GET', 'HEAD', 'POST']

/** Answers what never becomes a request: there is only a socket, which is closed afterwards. */
export function refuseConnection(error: ParserError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroySoon()
    return
  }
  const fault = faultOfBytes(error)
  const problem = problemOf(fault, crypto.randomUUID())
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(fault.code === 'METHOD_NOT_ALLOWED' ? [`Allow: ${METHODS.join(', ')}`] : []),
    'Connection: close',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  socket.destroySoon()
}

function faultOfBytes({ code, rawPacket }: ParserError): TransportFault | ServiceError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return startsInUrl(rawPacket)
        ? new TransportFault('URL_TOO_LONG', 'The URL is too long; shorten it.')
        : new TransportFault('HEADERS_TOO_LARGE', 'The URL and the headers are larger than 16 KiB together.')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ServiceError('TOO_SLOW', 'The request did not come in time; send it again.')
    case 'HPE_INVALID_METHOD':
      if (unknownMethod(rawPacket)) {
        return new TransportFault('METHOD_NOT_ALLOWED', `Use one of ${METHODS.join(', ')}.`, {
          allow: METHODS,
        })
      }
  }
  return new TransportFault('MALFORMED_REQUEST', 'Malformed HTTP request.')
}

/** Whether the bytes are a request but for a method that is not one of HTTP's. */
function unknownMethod(packet: unknown): boolean {
  const [, method] = /^([\w!#$%&'*+.^`|~-]+) \S+ HTTP\/1\.[01]\r?\n/.exec(firstBytes(packet)) ?? []
  return method !== undefined && !NODE_METHODS.includes(method)
}

/** Whether the bytes are a request line without an end. */
function startsInUrl(packet: unknown): boolean {
  return /^[A-Z]+ \S+$/.test(firstBytes(packet))
}

function firstBytes(packet: unknown): string {
  return Buffer.isBuffer(packet) ? packet.toString('latin1', 0, 16_384) : ''
}
