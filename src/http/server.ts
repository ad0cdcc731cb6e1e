import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyServerOptions, LogController } from 'fastify'
import { addAnswers } from './guards/answers.ts'
import { addAudit } from './guards/audit.ts'
import { addCors } from './guards/cors.ts'
import { addDeadline } from './guards/deadline.ts'
import { addAuth } from './guards/keys.ts'
import { addLeases, leasing } from './guards/leases.ts'
import { addObservation, requestId } from './guards/observation.ts'
import { routePlaces } from './guards/places.ts'
import { addRateLimits } from './guards/rate-limits.ts'
import { addReceiving } from './guards/receiving.ts'
import { addRequestGate } from './guards/request-gate.ts'
import type { HttpContext, HttpParts, Server } from './http-context.ts'
import { addOpenapi } from './openapi.ts'
import { addErrorReplies, sendProblem } from './problems/error-replies.ts'
import { addNotFound } from './problems/not-found.ts'
import { refuseConnection } from './problems/refuse-connection.ts'
import { backupRoutes } from './routes/backups.ts'
import { aliasRoutes } from './routes/collections/aliases.ts'
import { collectionRoutes } from './routes/collections/collections.ts'
import { copyRoute } from './routes/collections/copy.ts'
import { routesOfCollections } from './routes/collections/routes-of-collections.ts'
import { docsRoutes } from './routes/docs.ts'
import { embedRoute } from './routes/embed.ts'
import { healthRoutes } from './routes/health.ts'
import { infoRoute } from './routes/info.ts'
import { jobRoutes } from './routes/jobs/jobs.ts'
import { metricsRoute } from './routes/metrics.ts'
import { openaiEmbeddingsRoute } from './routes/openai-embeddings.ts'
import { compatibleRerankRoutes } from './routes/rerank/compatible.ts'
import { addJsonBody } from './wire/json-body.ts'
import { validatorCompiler } from './wire/validation.ts'

/** Path parameters are ids of up to 512 bytes, each of which may be written as three characters. */
const PARAM_LENGTH_MAX = 2048

/** The HTTP face, not yet listening. Hooks run in the order added here. */
export async function buildServer(
  parts: HttpParts,
  logger: NonNullable<FastifyServerOptions['logger']>,
): Promise<Server> {
  const { config, tls } = parts
  const context: HttpContext = { ...parts, retrieval: leasing(parts), places: routePlaces(config) }
  const server: Server = fastify({
    logger,
    // Fastify writes https in its addresses where it has options for it.
    ...(tls && { https: {}, serverFactory: tls.factory }),
    // The lines Fastify writes by itself hold the path and query as sent; observation.ts writes ours.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    bodyLimit: config.bodyBytesMax,
    trustProxy: config.trustProxy.length > 0 && [...config.trustProxy],
    genReqId: ({ headers }) => requestId(headers),
    requestIdHeader: false,
    forceCloseConnections: 'idle',
    // Our own admission answers while closing, with a problem.
    return503OnClosing: false,
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, request, reply) => {
      sendProblem(error, request, reply as never, config)
    },
  }).withTypeProvider<TypeBoxTypeProvider>()
  server.setValidatorCompiler(validatorCompiler)

  addErrorReplies(server, config)
  addObservation(server, context)
  addAudit(server)
  await addCors(server, context)
  addDeadline(server, context)
  addLeases(server)
  addAuth(server, context)
  addRateLimits(server, context)
  addRequestGate(server, context)
  addReceiving(server, context)
  addAnswers(server, context)
  addJsonBody(server)
  addNotFound(server, context)
  await addOpenapi(server, context)

  routesOfCollections(server, context)
  collectionRoutes(server, context)
  copyRoute(server, context)
  aliasRoutes(server, context)
  embedRoute(server, context)
  openaiEmbeddingsRoute(server, context)
  compatibleRerankRoutes(server, context)
  backupRoutes(server, context)
  jobRoutes(server, context)
  infoRoute(server, context)
  healthRoutes(server, context)
  metricsRoute(server, context)
  docsRoutes(server)
  return server
}
