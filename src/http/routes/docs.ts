import swaggerUi from '@fastify/swagger-ui'
import { Type } from 'typebox'
import type { Server } from '../http-context.ts'
import { PROBLEMS } from '../wire/schemas.ts'

/**
 * What the page may load: its own files. Without upgrade-insecure-requests, which makes browsers ask for them by https
 * on every plain-HTTP name but localhost, and the page stay blank.
 */
const PAGE_POLICY = [
  "default-src 'self'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "img-src 'self' data:",
  "object-src 'none'",
  "script-src-attr 'none'",
].join('; ')

/** The contract and its reader. Swagger UI's files come from the package: it works without a network. */
export function docsRoutes(server: Server): void {
  const config = { access: 'read', reach: 'none', browser: true, always: true } as const

  server.get(
    '/openapi.yaml',
    {
      config,
      schema: {
        tags: ['operation'],
        operationId: 'openapi',
        summary: 'This contract',
        response: {
          200: { description: 'OpenAPI 3.1.', content: { 'application/yaml': { schema: Type.Object({}) } } },
          ...PROBLEMS,
        },
      },
    },
    async (_request, reply) =>
      reply.type('application/yaml; charset=utf-8').send(server.swagger({ yaml: true })),
  )

  server.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, ...config }
    })
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: PAGE_POLICY,
      uiConfig: { deepLinking: true, displayRequestDuration: true, validatorUrl: null },
      theme: { title: 'LLaRA Serve' },
    })
  })
}
