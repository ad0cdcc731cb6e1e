import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'

const clients = new WeakMap<FastifyRequest, string>()

/** Says whose key a request carries. `name` stays the same for a key for as long as it is valid. */
export function identify(request: FastifyRequest, name: string): void {
  clients.set(request, `key:${name}`)
}

/** Whom a request counts for where clients share: its key, or, without one, its address. Not for people or logs. */
export function clientOf(request: FastifyRequest): string {
  const known = clients.get(request)
  if (known !== undefined) return known
  // A trusted proxy may still pass on a forwarded address that is none.
  const address = isIP(request.ip) ? request.ip : (request.socket.remoteAddress ?? '')
  const client = `address:${networkOf(address)}`
  clients.set(request, client)
  return client
}

/** IPv4 as it is; of IPv6 the first 64 bits, because a single machine usually owns all addresses behind them. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1]
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address
  const [head = '', tail] = address.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length)
  const groups = [...front, ...Array<string>(zeros).fill('0'), ...back]
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}
