import { Type } from 'typebox'
import type { HttpContext, Server } from '../http-context.ts'
import { PROBLEMS } from '../wire/schemas.ts'

export function metricsRoute(server: Server, { metrics }: HttpContext): void {
  server.get(
    '/metrics',
    {
      config: { access: 'read', always: true },
      schema: {
        tags: ['operation'],
        operationId: 'metrics',
        summary: 'Metrics for Prometheus',
        produces: ['text/plain'],
        response: {
          200: {
            description: 'Prometheus text format.',
            content: { 'text/plain': { schema: Type.String() } },
          },
          ...PROBLEMS,
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  )
}
