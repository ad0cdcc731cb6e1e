import swagger from '@fastify/swagger'
import type { HttpContext, Server } from './http-context.ts'
import { ProblemSchema } from './wire/schemas.ts'

/** Collects the contract from the routes; added before them. */
export async function addOpenapi(server: Server, { version }: HttpContext): Promise<void> {
  server.addSchema(ProblemSchema)
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'LLaRA Serve',
        version,
        description:
          'Text in, ranked documents out. Errors are RFC 9457 problem details with a stable `code`; every answer carries `x-request-id`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'documents', description: 'What is searched.' },
        { name: 'search', description: 'Finding it.' },
        { name: 'embeddings', description: 'Vectors without storing anything.' },
        { name: 'operation', description: 'Probes, metrics, contract.' },
      ],
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description:
              'An API key. Needed on every route but /livez and /readyz once the service has keys.',
          },
        },
      },
      security: [{ key: [] }],
    },
    refResolver: { buildLocalReference: (json, _baseUri, _fragment, i) => String(json['$id'] ?? `def-${i}`) },
  })
}
