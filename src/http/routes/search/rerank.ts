import type { FastifyBaseLogger, FastifyReply } from 'fastify'
import { type Static, Type } from 'typebox'
import { causeText } from '../../../cause.ts'
import type { RerankLimits } from '../../../retrieval/limits.ts'
import type { RerankOutcome, RerankWish } from '../../../retrieval/rerank/rerank-hits.ts'
import { answerUntil } from '../../guards/deadline.ts'
import type { HttpMetrics } from '../../http-context.ts'
import type { HttpLimits } from '../../limits.ts'
import { oneOf } from '../../wire/schemas.ts'

/** What a search may ask of the reranker. */
export const rerankWishSchema = ({ rerankTopN, rerankTopNMax }: RerankLimits) =>
  Type.Object(
    {
      model: Type.Optional(
        Type.String({ description: 'Id of the reranker in GET /info. Another one is refused (404).' }),
      ),
      top_n: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: rerankTopNMax,
          description: `How many of the first hits of each query are reranked. Default ${Math.min(rerankTopN, rerankTopNMax)}.`,
        }),
      ),
    },
    {
      additionalProperties: false,
      description:
        'Let the reranker read the query together with the best passage of each of the first hits, and order them by its score; the other hits follow in the order they had. Where it is late or full, all hits keep their order, and `rerank` in the answer says so. With `query` and `queries` only; 404 (`NO_RERANKER`) where the service runs none.',
      examples: [{ top_n: 50 }],
    },
  )

export function rerankWishOf(
  { model, top_n }: Static<ReturnType<typeof rerankWishSchema>>,
  reply: FastifyReply,
  config: RerankLimits & HttpLimits,
): RerankWish {
  const { rerankTopN, rerankTopNMax } = config
  return {
    topN: top_n ?? Math.min(rerankTopN, rerankTopNMax),
    ...(model !== undefined && { model }),
    until: answerUntil(reply, config),
  }
}

/** Of one hit. */
export const RerankedSchema = Type.Object(
  {
    score: Type.Number({ description: "The reranker's logit; it compares texts for one query only." }),
    former_rank: Type.Integer({ description: 'The rank before, counted from 1.' }),
  },
  { description: 'Where the hit was reranked. `score` of the hit stays that of the search.' },
)

/** Of the whole answer. */
export const RerankReportSchema = Type.Object(
  {
    model: Type.String(),
    applied: Type.Boolean({ description: 'Whether the hits of every query were reranked.' }),
    reason: Type.Optional(
      oneOf(['deadline', 'overloaded', 'unavailable', 'failed'], {
        description:
          '`deadline`: it took longer than RERANK_MS_MAX, or than the request has. `overloaded`: its queue is full. `unavailable`: it has stopped. `failed`: a fault of the service, which its log has.',
      }),
    ),
    unranked: Type.Optional(
      Type.Array(Type.Integer(), {
        description: 'With `queries`, if not applied: indexes of those whose hits kept their order.',
      }),
    ),
  },
  { description: 'With `rerank`: whether it was done.' },
)

/** Counts what came of it; a fault of ours is logged with its cause, as it does not end the request. */
export function noteRerank(
  { reason, fault }: RerankOutcome,
  log: FastifyBaseLogger,
  metrics: HttpMetrics,
): void {
  metrics.countSearchRerank(reason ?? 'applied')
  if (reason !== 'failed' || !fault) return
  log.error({ code: fault.code, cause: causeText(fault.cause ?? fault) }, fault.message)
}

/** @param many whether there were several queries */
export function rerankReport({ model, reason, unranked }: RerankOutcome, many: boolean) {
  const applied = reason === undefined
  return {
    model,
    applied,
    ...(!applied && { reason, ...(many && { unranked }) }),
  }
}
