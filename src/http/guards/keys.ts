import type { FastifyRequest } from 'fastify'
import { ServiceError } from '../../errors.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { noteForAudit, type Refusal } from './audit.ts'
import { identify, networkOf } from './client.ts'
import { collectionOf, limitReach } from './collection-rights.ts'
import { GuessBrake } from './guess-brake.ts'

/**
 * API keys for every route but those that say `access: 'public'`. The matched route decides, never the path as
 * sent, so no spelling of a path reaches a route without its check; an unknown path needs a key too.
 */
export function addAuth(server: Server, { keys, config: limits, state, collections }: HttpContext): void {
  if (keys.open) return
  const brake = new GuessBrake(limits)
  server.addHook('onRequest', async (request, reply) => {
    const {
      access = 'write',
      browser = false,
      reach,
    } = request.is404 ? { access: 'read' as const, reach: 'none' as const } : request.routeOptions.config
    if (access === 'public') return
    const address = networkOf(request.ip)
    const refuse = (refusal: Refusal, blockedMs = 0) =>
      noteForAudit(request, { refusal, blockedMs, silent: blockedMs === 0 && !brake.mayLog(address) })
    const unauthorized = (refusal: Refusal) => {
      refuse(refusal)
      reply.header('www-authenticate', browser ? ['Basic realm="llara-serve"', 'Bearer'] : 'Bearer')
      return new ServiceError('UNAUTHORIZED', 'Send a valid API key as "Authorization: Bearer <key>".')
    }

    const presented = presentedKey(request, browser)
    if (presented === undefined) throw unauthorized('missing')
    // The same work whatever comes of it.
    const key = keys.find(presented)
    const valid = key !== undefined && Date.now() < key.expiresAt
    const id = key?.hash.toString('base64') ?? ''
    const blockedMs = brake.blockedMs(address)
    if (blockedMs > 0 && !(valid && brake.hasWorked(address, id))) throw blocked(blockedMs)
    if (key) noteForAudit(request, { key: key.name })
    if (!valid) {
      const refusal = key ? 'expired' : 'unknown'
      const nextMs = brake.failed(address)
      if (nextMs === 0) throw unauthorized(refusal)
      refuse(refusal, nextMs)
      throw blocked(nextMs)
    }
    brake.worked(address, id)
    identify(request, id)
    if (access === 'write' && key.scope !== 'write') {
      refuse('scope')
      throw new ServiceError('FORBIDDEN', 'This route needs a key with the write scope.')
    }
    if (!key.collections) return
    limitReach(request, key.collections)
    if (reach === 'none') return
    if (reach === undefined) {
      refuse('scope')
      throw new ServiceError('FORBIDDEN', 'This route needs a key that is not for single collections.')
    }
    // Until then there are no aliases, and the request is refused for another reason.
    if (state() !== 'ready') return
    try {
      collectionOf(request, collections())
    } catch (error) {
      refuse('scope')
      throw error
    }
  })
}

function blocked(ms: number): ServiceError {
  const message = 'Too many wrong keys came from this address; check the key, and try again in a moment.'
  return new ServiceError('OVERLOADED', message, { retryAfterMs: Math.ceil(ms) })
}

function presentedKey({ headers, method }: FastifyRequest, browser: boolean): string | undefined {
  const [, scheme = '', credentials = ''] = /^(\w+) +(\S+)$/.exec(headers.authorization ?? '') ?? []
  if (scheme.toLowerCase() === 'bearer') return credentials
  if (!browser || scheme.toLowerCase() !== 'basic' || (method !== 'GET' && method !== 'HEAD'))
    return undefined
  const decoded = Buffer.from(credentials, 'base64').toString()
  return decoded.slice(decoded.indexOf(':') + 1)
}
