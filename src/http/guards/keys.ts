import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { ServiceError } from '../../errors.ts'
import type { ApiKey, Scope } from '../api-key.ts'
import type { Server } from '../http-context.ts'
import { identify } from './client.ts'

interface HashedKey {
  scope: Scope
  hash: Buffer
}

/**
 * API keys for every route but those that say `access: 'public'`. The matched route decides, never the path as
 * sent, so no spelling of a path reaches a route without its check; an unknown path needs a key too.
 */
export function addAuth(server: Server, keys: readonly ApiKey[]): void {
  if (keys.length === 0) return
  const hashed = keys.map(({ scope, key }) => ({ scope, hash: sha256(key) }))
  server.addHook('onRequest', async (request, reply) => {
    const { access = 'write', browser = false } = request.is404
      ? { access: 'read' as const }
      : request.routeOptions.config
    if (access === 'public') return
    const key = matchingKey(presentedKey(request, browser), hashed)
    if (key === undefined) {
      reply.header('www-authenticate', browser ? ['Basic realm="llara-serve"', 'Bearer'] : 'Bearer')
      throw new ServiceError('UNAUTHORIZED', 'Send a valid API key as "Authorization: Bearer <key>".')
    }
    identify(request, key.hash.toString('base64'))
    if (access === 'write' && key.scope !== 'write') {
      throw new ServiceError('FORBIDDEN', 'This route needs a key with the write scope.')
    }
  })
}

function presentedKey({ headers, method }: FastifyRequest, browser: boolean): string | undefined {
  const [, scheme = '', credentials = ''] = /^(\w+) +(\S+)$/.exec(headers.authorization ?? '') ?? []
  if (scheme.toLowerCase() === 'bearer') return credentials
  if (!browser || scheme.toLowerCase() !== 'basic' || (method !== 'GET' && method !== 'HEAD'))
    return undefined
  const decoded = Buffer.from(credentials, 'base64').toString()
  return decoded.slice(decoded.indexOf(':') + 1)
}

/** Hashes are compared, all of them, in constant time: neither length nor place of a match shows. */
function matchingKey(presented: string | undefined, keys: readonly HashedKey[]): HashedKey | undefined {
  if (presented === undefined) return undefined
  const hash = sha256(presented)
  let match: HashedKey | undefined
  for (const key of keys) if (timingSafeEqual(hash, key.hash)) match = key
  return match
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
