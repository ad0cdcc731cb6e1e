import swagger from '@fastify/swagger'
import type { FastifySchema } from 'fastify'
import type { TSchema } from 'typebox'
import type { HttpContext, Server } from './http-context.ts'
import { withNulls } from './wire/nulls.ts'
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
          'Text in, ranked documents out. Queries are embedded with the EBAR prompt (which text comes next?), documents with the EBAE prompt (what does this text say?). JSON is read by the rules of I-JSON (RFC 7493), so that nothing is changed on its way: UTF-8, no lone surrogates, no field twice in one object, no number beyond 2^53 that a double would round. A null for an optional field is as leaving it out. Errors are RFC 9457 problem details with a stable `code`; every response carries `x-request-id`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'documents', description: 'Store and manage documents.' },
        { name: 'search', description: 'Search.' },
        {
          name: 'collections',
          description:
            'Collections side by side. Where no collection is named, the routes work on `default`; an alias stands wherever a name does.',
        },
        { name: 'embeddings', description: 'Embed texts without storing them.' },
        { name: 'reranking', description: 'Put texts in the order in which they answer a query.' },
        { name: 'jobs', description: 'Long work in the background.' },
        { name: 'operation', description: 'Health checks, metrics, API description.' },
      ],
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description:
              'An API key. Once the service has keys, every route needs one except /livez and /readyz.',
          },
        },
      },
      security: [{ key: [] }],
    },
    transform: ({ schema, url }) => ({ schema: { ...schema, ...bodyWithNulls(schema) }, url }),
    refResolver: { buildLocalReference: (json, _baseUri, _fragment, i) => String(json['$id'] ?? `def-${i}`) },
  })
}

function bodyWithNulls({ body }: FastifySchema): { body?: unknown } {
  if (body === undefined) return {}
  const { content } = body as { content?: Record<string, { schema: TSchema }> }
  if (!content) return { body: withNulls(body as TSchema) }
  const types = Object.entries(content).map(([type, { schema }]) => [type, { schema: withNulls(schema) }])
  return { body: { content: Object.fromEntries(types) } }
}
