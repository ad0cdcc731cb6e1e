import type { IncomingMessage } from 'node:http'
import { ServiceError } from '../../errors.ts'
import type { NewDocument } from '../../retrieval/checks/check-document.ts'
import type { IngestLine } from '../../retrieval/ingest-stream.ts'
import { turn } from '../../turns.ts'
import { bodyChunks, type StreamPace } from './body-chunks.ts'
import { ndjsonLines } from './ndjson-lines.ts'

/** Fatal: bytes that are not UTF-8 are a fault, not a replacement character in somebody's document. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

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
    const parsed = parse(bytes)
    const error = parsed instanceof ServiceError ? parsed : check(parsed)
    yield error ? { line, error } : { line, document: parsed as NewDocument, bytes: bytes.length }
  }
}

function parse(bytes: Uint8Array): unknown {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return new ServiceError('INVALID_INPUT', 'The line is not UTF-8.')
  }
  try {
    return JSON.parse(text)
  } catch {
    return new ServiceError('INVALID_INPUT', 'The line is not valid JSON.')
  }
}
