import type { FastifyRequest } from 'fastify'
import type { Encoder } from '../../encoder/encoder.ts'
import { ServiceError } from '../../errors.ts'
import type { Reranker } from '../../reranker/reranker.ts'
import { clientEncoder } from '../../retrieval/client-encoder.ts'
import { tokensOf } from '../../retrieval/embed.ts'
import type { Retrieval } from '../../retrieval/retrieval.ts'
import { clientOf } from './client.ts'
import { tokenBudgetOf } from './rate-limits.ts'

/**
 * The same parts, with the models working for the client of a request, which is charged for the tokens that they read.
 * @param waits `true` for a stream: once the client's tokens are spent it waits for new ones, and is not refused
 */
export function forClient(retrieval: Retrieval, request: FastifyRequest, waits = false): Retrieval {
  const { encoder, reranker } = retrieval
  return {
    ...retrieval,
    encoder: chargedEncoder(encoder, request, waits),
    ...(reranker && { reranker: clientReranker(reranker, request) }),
  }
}

function clientReranker(reranker: Reranker, request: FastifyRequest): Reranker {
  const client = clientOf(request)
  const budget = tokenBudgetOf(request)
  return {
    card: reranker.card,
    device: reranker.device,
    async score(query, texts, options = {}) {
      const result = await reranker.score(query, texts, { ...options, client })
      budget?.spend(client, tokensOf([result]))
      return result
    },
    stats: () => reranker.stats(),
    onDeath: (listener) => reranker.onDeath(listener),
    close: () => reranker.close(),
  }
}

function chargedEncoder(encoder: Encoder, request: FastifyRequest, waits: boolean): Encoder {
  const client = clientOf(request)
  const budget = tokenBudgetOf(request)
  return clientEncoder(encoder, client, {
    async before(signal) {
      if (!waits) return
      await budget?.wait(client, signal).catch(() => {
        throw new ServiceError('ABORTED', 'The request was abandoned.')
      })
    },
    after: (result) => budget?.spend(client, tokensOf([result])),
  })
}
