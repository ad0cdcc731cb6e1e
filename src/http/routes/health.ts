import { Type } from 'typebox'
import { checkState } from '../guards/request-gate.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { PROBLEMS } from '../wire/schemas.ts'

const config = { access: 'public', always: true } as const
const Status = Type.Object({ status: Type.String({ examples: ['ok'] }) })
const Readiness = Type.Object({
  ...Status.properties,
  missing: Type.Optional(
    Type.Array(Type.String(), {
      description:
        'Parts that have stopped or do not answer, and that the service does without: `reranker`. Searches then keep their order.',
    }),
  ),
})

/** The two public routes: probes. */
export function healthRoutes(server: Server, { state, checkParts, missingThreads }: HttpContext): void {
  server.get(
    '/livez',
    {
      config,
      schema: {
        tags: ['operation'],
        operationId: 'livez',
        summary: 'Liveness',
        description: '200 while the process runs. Needs no key.',
        security: [],
        response: { 200: Status },
      },
    },
    async () => ({ status: 'ok' }),
  )

  server.get(
    '/readyz',
    {
      config,
      schema: {
        tags: ['operation'],
        operationId: 'readyz',
        summary: 'Readiness',
        description:
          '200 once the index is open and the model has embedded a first text; 503 while starting or shutting down, and while nothing can be stored because the data folder was removed or replaced or a thread does not answer (WATCHDOG_MS). Needs no key.',
        security: [],
        response: { 200: Readiness, '5xx': PROBLEMS['5xx'] },
      },
    },
    async () => {
      checkState(state())
      checkParts()
      const missing = missingThreads()
      return { status: 'ok', ...(missing.length > 0 && { missing }) }
    },
  )
}
