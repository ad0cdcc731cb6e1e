import type { FastifyReply, FastifyRequest } from 'fastify'
import { ServiceError } from '../../errors.ts'
import { RateBudget } from '../../sharing/rate-budget.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { clientOf } from './client.ts'

interface Quota {
  name: 'requests' | 'tokens'
  /** The environment variable that it comes from. */
  setting: string
  budget: RateBudget
}

const tokenBudgets = new WeakMap<FastifyRequest, RateBudget>()

/** What a request's texts are charged to; undefined where tokens are not limited. */
export function tokenBudgetOf(request: FastifyRequest): RateBudget | undefined {
  return tokenBudgets.get(request)
}

/**
 * REQUESTS_PER_MINUTE and TOKENS_PER_MINUTE of each client. A request that comes too early is refused before its body
 * is read, and costs nothing. Probes, metrics and /docs are free.
 */
export function addRateLimits(server: Server, { config }: HttpContext): void {
  const quotas: Quota[] = []
  const limit = (name: Quota['name'], setting: string, perMinute: number) => {
    if (perMinute > 0) quotas.push({ name, setting, budget: new RateBudget(perMinute) })
  }
  limit('requests', 'REQUESTS_PER_MINUTE', config.requestsPerMinute)
  limit('tokens', 'TOKENS_PER_MINUTE', config.tokensPerMinute)
  if (quotas.length === 0) return
  const limited = new WeakSet<FastifyRequest>()

  server.addHook('onRequest', async (request) => {
    if (request.routeOptions.config?.always) return
    const client = clientOf(request)
    limited.add(request)
    for (const quota of quotas) if (quota.budget.remaining(client) < 1) throw tooMany(quota, client)
    for (const { name, budget } of quotas) {
      if (name === 'requests') budget.spend(client, 1)
      else tokenBudgets.set(request, budget)
    }
  })
  // By now the tokens of the request have been charged.
  server.addHook('onSend', async (request, reply) => {
    if (limited.has(request)) setHeaders(reply, clientOf(request), quotas)
  })
}

function tooMany({ name, setting, budget }: Quota, client: string): ServiceError {
  const { perMinute } = budget
  const retryAfterMs = Math.max(1, Math.ceil(budget.oneInMs(client)))
  const message = `You may send ${perMinute} ${name} a minute (${setting}); try again in ${Math.ceil(retryAfterMs / 1000)} s.`
  return new ServiceError('RATE_LIMITED', message, { limit: perMinute, retryAfterMs, setting })
}

/** One set for each limit, by OpenAI's names, and the plain set for the limit that is nearest. */
function setHeaders(reply: FastifyReply, client: string, quotas: readonly Quota[]): void {
  const figures = quotas.map(({ name, budget }) => {
    const limit = budget.perMinute
    const remaining = budget.remaining(client)
    return { name, limit, remaining, reset: Math.ceil(budget.wholeInMs(client) / 1000) }
  })
  for (const { name, limit, remaining, reset } of figures) {
    reply.header(`x-ratelimit-limit-${name}`, limit)
    reply.header(`x-ratelimit-remaining-${name}`, remaining)
    reply.header(`x-ratelimit-reset-${name}`, `${reset}s`)
  }
  const nearest = figures.reduce((a, b) => (b.remaining / b.limit < a.remaining / a.limit ? b : a))
  reply.header('ratelimit-limit', nearest.limit)
  reply.header('ratelimit-remaining', nearest.remaining)
  reply.header('ratelimit-reset', nearest.reset)
}
