import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { ServiceError } from '../../errors.ts'
import type { NewDocument } from '../../retrieval/checks/check-document.ts'
import type { IngestLine } from '../../retrieval/ingest-stream.ts'
import { turn } from '../../turns.ts'
import type { Server } from '../http-context.ts'
import { bodyChunks, type StreamPace } from './body-chunks.ts'
import { JsonFault } from './i-json.ts'
import { parseLargeJson } from './large-json.ts'
import { checkCharset, NDJSON_TYPES } from './media-type.ts'
import { ndjsonLines } from './ndjson-lines.ts'

/** Lets the routes of a scope take NDJSON: their body stays a stream. */
export function addNdjsonBody(scope: Pick<Server, 'addContentTypeParser'>): void {
  scope.addContentTypeParser(NDJSON_TYPES, async ({ headers }: FastifyRequest, body: IncomingMessage) => {
    checkCharset(headers['content-type'])
    return body
  })
}

/**
 * The documents of an NDJSON request as they arrive.
 * @param check finds the fault of a parsed line
 * @throws ServiceError ABORTED when the client goes away, TOO_SLOW when it is silent or sends hardly anything
 */
export async function* ndjsonDocuments(
  body: IncomingMessage,
  check: (value: unknown) => ServiceError | undefined,
  limits: StreamPace & { lineBytesMax: number },
): AsyncGenerator<IngestLine> {
  for await (const { number: line, bytes } of ndjsonLines(bodyChunks(body, limits), limits.lineBytesMax)) {
    const others = turn()
    if (others) await others
    if (!bytes) {
      const message = `The line is longer than ${limits.lineBytesMax} bytes (LINE_BYTES_MAX).`
      yield { line, error: new ServiceError('TOO_LARGE', message) }
      continue
    }
    const parsed = await parse(bytes)
    const error = parsed instanceof ServiceError ? parsed : check(parsed)
    yield error ? { line, error } : { line, document: parsed as NewDocument, bytes: bytes.length }
  }
}

async function parse(bytes: Uint8Array): Promise<unknown> {
  try {
    return await parseLargeJson(bytes, 'The line')
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    return new ServiceError('INVALID_INPUT', error.message)
  }
}
