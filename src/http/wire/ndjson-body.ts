import type { IncomingMessage } from 'node:http'
import { ServiceError } from '../../errors.ts'
import type { NewDocument } from '../../retrieval/checks/check-document.ts'
import type { IngestLine } from '../../retrieval/ingest-stream.ts'
import { turn } from '../../turns.ts'
import { ndjsonLines } from './ndjson-lines.ts'

/** Fatal: bytes that are not UTF-8 are a fault, not a replacement character in somebody's document. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The documents of an NDJSON request as they arrive.
 * @param check finds the fault of a parsed line
 * @throws ServiceError ABORTED when the client goes away, or is silent longer than `idleMsMax`
 */
export async function* ndjsonDocuments(
  body: IncomingMessage,
  check: (value: unknown) => ServiceError | undefined,
  limits: { lineBytesMax: number; ingestIdleMsMax: number },
): AsyncGenerator<IngestLine> {
  for await (const { number: line, bytes } of ndjsonLines(
    chunks(body, limits.ingestIdleMsMax),
    limits.lineBytesMax,
  )) {
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

/**
 * The body's chunks. The clock runs only while we wait for the client, not while it waits for us. The request is
 * not destroyed at its end, because its `close` is what tells that the client has gone.
 */
async function* chunks(body: IncomingMessage, idleMsMax: number): AsyncGenerator<Uint8Array> {
  const iterator = body.iterator({ destroyOnReturn: false })
  for (;;) {
    const result = await next(iterator, idleMsMax)
    if (result.done) return
    yield result.value
  }
}

async function next(iterator: AsyncIterator<Buffer>, idleMsMax: number): Promise<IteratorResult<Buffer>> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_, reject) => {
    const message = `The client sent nothing for ${idleMsMax} ms (INGEST_IDLE_MS_MAX).`
    timer = setTimeout(() => reject(new ServiceError('ABORTED', message)), idleMsMax)
  })
  const chunk = iterator.next().catch((cause) => {
    throw new ServiceError('ABORTED', 'The client closed the connection.', {}, cause)
  })
  try {
    return await Promise.race([chunk, silence])
  } finally {
    clearTimeout(timer)
  }
}
