import type { IncomingMessage } from 'node:http'
import { type Static, Type } from 'typebox'
import { ServiceError } from '../../errors.ts'
import { ingest } from '../../retrieval/ingest.ts'
import type { IngestSummary } from '../../retrieval/ingest-report.ts'
import { ingestStream } from '../../retrieval/ingest-stream.ts'
import { giveUp, signalOf } from '../guards/deadline.ts'
import { forClient } from '../guards/for-client.ts'
import type { HttpContext, Server } from '../http-context.ts'
import type { HttpLimits } from '../limits.ts'
import { sendProblem } from '../problems/error-replies.ts'
import { bodyChunks } from '../wire/body-chunks.ts'
import { documentLines, NewDocumentSchema } from '../wire/document-lines.ts'
import { isNdjson } from '../wire/media-type.ts'
import { PROBLEMS, TruncateSchema } from '../wire/schemas.ts'
import { warningsOf, warningsSchema } from '../wire/warnings.ts'

const EXAMPLE = {
  id: 'astro-17',
  title: 'Why the sky is blue',
  text: 'Blue light is scattered more than red light.',
  metadata: { year: 2021, tags: ['space'] },
}

const bodySchema = ({ documentsPerRequestMax }: HttpLimits) =>
  Type.Object(
    {
      documents: Type.Array(NewDocumentSchema, { minItems: 1, maxItems: documentsPerRequestMax }),
      truncate: Type.Optional(TruncateSchema),
    },
    { additionalProperties: false, examples: [{ documents: [EXAMPLE] }] },
  )

const Query = Type.Object({ truncate: Type.Optional(TruncateSchema) }, { additionalProperties: false })

const NdjsonBody = Type.Unknown({
  description:
    'One document per line; the body may have any length. Lines are committed in batches, in order; a faulty line is reported and skipped. A stream without one good line is answered with 422: a problem with the same summary among its members.',
  examples: [`${JSON.stringify(EXAMPLE)}\n{"text":"A second document, without an id of its own."}\n`],
})

const Answer = Type.Object({
  created: Type.Integer(),
  updated: Type.Integer(),
  failed: Type.Integer({
    description:
      'NDJSON: lines that were not stored. JSON: always 0, because either all documents are stored or none.',
  }),
  passages: Type.Integer({
    description: 'What the stored documents are found by: each as a whole, or by its passages.',
  }),
  tokens: Type.Integer({
    description: 'Tokens that the model read: of a document that was cut, what is left. Prompts included.',
  }),
  ids: Type.Array(Type.String(), { description: 'In the order given. NDJSON: the first 1000.' }),
  truncated: Type.Array(Type.String(), {
    description:
      'Ids of documents of which something is in no vector: those longer than the model reads, where each is one vector; those with a title longer than half a passage, where they are cut into passages. NDJSON: the first 1000.',
  }),
  truncated_total: Type.Integer(),
  warnings: warningsSchema(
    {
      index: Type.Optional(Type.Integer({ description: 'JSON: of the document in `documents`.' })),
      line: Type.Optional(Type.Integer({ description: 'NDJSON: counts from 1.' })),
      id: Type.String(),
    },
    ' NDJSON: the first 1000.',
  ),
  warnings_total: Type.Optional(
    Type.Integer({ description: 'Warnings there are; absent when there are none.' }),
  ),
  errors: Type.Array(Type.Object({ line: Type.Integer(), code: Type.String(), detail: Type.String() }), {
    description: 'NDJSON: the first 1000 faulty lines. Lines count from 1.',
  }),
  lines: Type.Optional(Type.Integer({ description: 'NDJSON: lines read.' })),
})

export function ingestRoute(
  server: Server,
  { config, retrieval, places: { ingest: places } }: HttpContext,
): void {
  const linesOf = documentLines(config)

  server.post(
    '/documents',
    {
      config: { access: 'write', ownDeadline: true },
      schema: {
        tags: ['documents'],
        operationId: 'ingestDocuments',
        summary: 'Add or replace documents',
        description:
          'A document replaces the one with the same id; of equal ids in one request the last wins. The response comes when the documents are durable and searchable. JSON: either all documents are stored or none. If an NDJSON stream breaks off, `details.committed_lines` of the error is the line up to which everything has been stored: send the lines after it again.',
        querystring: Query,
        body: {
          content: {
            'application/json': { schema: bodySchema(config) },
            'application/x-ndjson': { schema: NdjsonBody },
          },
        },
        response: { 200: Answer, ...PROBLEMS },
      },
      onRequest: async (request, reply) => {
        places.check(request)
        if (isNdjson(request.headers)) return
        const expire = () => {
          const message = `The body did not come within ${config.ingestTimeoutMs} ms (INGEST_TIMEOUT_MS).`
          giveUp(new ServiceError('ABORTED', message), request, reply, config)
        }
        const timer = setTimeout(expire, config.ingestTimeoutMs)
        request.raw.once('end', () => clearTimeout(timer))
        reply.raw.once('close', () => clearTimeout(timer))
      },
      preValidation: async (request, reply) => places.take(request, reply),
    },
    async (request, reply) => {
      const fromQuery = request.query.truncate
      if (isNdjson(request.headers)) {
        const lines = linesOf(bodyChunks(request.body as IncomingMessage, config))
        const truncate = fromQuery ?? 'end'
        const parts = forClient(await retrieval(request), request, true)
        const summary = summaryOf(await ingestStream(parts, lines, { truncate, signal: signalOf(request) }))
        if (summary.created + summary.updated > 0) return summary
        // Whoever looks at the status only must not take this for success.
        sendProblem(nothingStored(summary), request, reply, config, summary)
        return reply
      }
      const { documents, truncate = fromQuery ?? 'end' } = request.body as Static<
        ReturnType<typeof bodySchema>
      >
      const signal = AbortSignal.any([signalOf(request), AbortSignal.timeout(config.ingestTimeoutMs)])
      const { ids, mostlyUnknown, truncated, ...counts } = await ingest(
        forClient(await retrieval(request), request),
        documents,
        {
          truncate,
          signal,
        },
      )
      const truncated_total = truncated.length
      const unknown = mostlyUnknown.map((index) => ({ index, id: ids[index]! }))
      const warnings = countedWarnings(unknown, unknown.length)
      return { ...counts, failed: 0, ids, truncated, truncated_total, ...warnings, errors: [] }
    },
  )
}

function nothingStored({ failed }: { failed: number }): ServiceError {
  const why = failed === 0 ? 'it has no lines' : 'errors says what is wrong with each line'
  return new ServiceError('INVALID_INPUT', `The stream has no document that could be stored; ${why}.`)
}

function summaryOf(report: IngestSummary) {
  const { truncatedTotal, mostlyUnknown, mostlyUnknownTotal, lastLine, ...summary } = report
  const warnings = countedWarnings(mostlyUnknown, mostlyUnknownTotal)
  return { ...summary, truncated_total: truncatedTotal, ...warnings, lines: lastLine }
}

function countedWarnings<P extends object>(mostlyUnknown: readonly P[], total: number) {
  return { ...warningsOf(mostlyUnknown), ...(total > 0 && { warnings_total: total }) }
}
