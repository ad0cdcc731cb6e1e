import { Type } from 'typebox'
import { ServiceError } from '../../errors.ts'
import { DIMENSIONS_MAX } from '../../index/collection-settings.ts'
import type { NewDocument } from '../../retrieval/checks/check-document.ts'
import type { IngestLine } from '../../retrieval/ingest-stream.ts'
import { turn } from '../../turns.ts'
import { JsonFault, ListFault } from './i-json.ts'
import { parseLargeJson } from './large-json.ts'
import { type LinePlace, ndjsonLines } from './ndjson-lines.ts'
import { DocumentFields, Id, MetadataSchema } from './schemas.ts'
import { compileBodyCheck } from './validation.ts'

/** A document as requests and files have it. */
export const NewDocumentSchema = Type.Object(
  {
    id: Type.Optional(Id),
    text: Type.String({ minLength: 1, examples: ['Blue light is scattered more than red light.'] }),
    title: Type.Optional(DocumentFields.title),
    metadata: Type.Optional(MetadataSchema),
    vector: Type.Optional(
      Type.Array(Type.Number(), {
        maxItems: DIMENSIONS_MAX,
        description:
          'What the document is found by, in place of what the model would make of it: as many numbers as the vectors of the collection have. It is normalised to unit length. A collection of your own vectors needs one for each document.',
      }),
    ),
  },
  { additionalProperties: false },
)

/** A line, and where the next one begins: bytes from the begin of the whole. */
export type PlacedLine = IngestLine & { end: number }

export type DocumentLines = (
  source: AsyncIterable<Uint8Array>,
  from?: LinePlace,
) => AsyncGenerator<PlacedLine>

/** Reads NDJSON, as it arrives: each line is a document, or says why it is none. */
export function documentLines({ lineBytesMax }: { lineBytesMax: number }): DocumentLines {
  const check = compileBodyCheck(NewDocumentSchema)
  return async function* (source, from) {
    for await (const { number: line, bytes, end } of ndjsonLines(source, lineBytesMax, from)) {
      const others = turn()
      if (others) await others
      if (!bytes) {
        const message = `The line is longer than ${lineBytesMax} bytes (LINE_BYTES_MAX).`
        yield { line, end, error: new ServiceError('TOO_LARGE', message) }
        continue
      }
      const parsed = await parse(bytes)
      const error = parsed instanceof ServiceError ? parsed : check(parsed)
      yield error ? { line, end, error } : { line, end, document: parsed as NewDocument, bytes: bytes.length }
    }
  }
}

async function parse(bytes: Uint8Array): Promise<unknown> {
  try {
    return await parseLargeJson(bytes, 'The line')
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    return new ServiceError(error instanceof ListFault ? 'TOO_LARGE' : 'INVALID_INPUT', error.message)
  }
}
