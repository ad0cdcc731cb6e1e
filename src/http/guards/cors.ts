import cors from '@fastify/cors'
import type { HttpContext, Server } from '../http-context.ts'

/** How long a browser may go without asking again. */
const PREFLIGHT_S = 600

/** What scripts of other origins may read beside the body. */
const EXPOSED = [
  'retry-after',
  'x-request-id',
  'www-authenticate',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  ...['requests', 'tokens'].flatMap((what) =>
    ['limit', 'remaining', 'reset'].map((figure) => `x-ratelimit-${figure}-${what}`),
  ),
]

/**
 * Lets pages of the origins in CORS_ORIGINS call the service from a browser; any other origin gets no header, so that the
 * browser keeps the answer from the page. Before the keys: a preflight request has none, and a refusal must be readable.
 */
export async function addCors(server: Server, { config }: HttpContext): Promise<void> {
  const origins = new Set(config.corsOrigins)
  if (origins.size === 0) return
  // What is not answered as a preflight request goes the way of any request with a method that no route has.
  server.addHook('onRoute', (route) => {
    if (route.url === '*' && route.method === 'OPTIONS') route.config = { ...route.config, access: 'read' }
  })
  await server.register(cors, {
    origin: (origin, done) => done(null, origin !== undefined && allowed(origin)),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_S,
    // It would answer with plain text.
    strictPreflight: false,
  })

  function allowed(origin: string): string | false {
    if (origins.has('*')) return '*'
    return origins.has(origin) && origin
  }
}
