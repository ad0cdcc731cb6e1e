import { Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import type { DocumentField } from '../../../index/document.ts'
import type { DocumentIndex } from '../../../index/document-index.ts'
import type { HttpLimits } from '../../limits.ts'
import { oneOf } from '../../wire/schemas.ts'
import { ENCODING_FORMATS, type EncodingFormat, vectorValue } from '../../wire/vector-format.ts'

/** How vectors are written, where an answer has some. */
export const FormatField = Type.Optional(
  oneOf([...ENCODING_FORMATS], {
    description:
      'Of vectors, with `vector` in `include`. `float` (default): JSON numbers. `base64`: little-endian float32. `int8`: base64 of signed bytes; divide by 127.',
  }),
)

type WireVector = number[] | string
const wireVector = (description: string) =>
  Type.Unsafe<WireVector>({ type: ['array', 'string'], items: { type: 'number' }, description })

export const HitVectorSchema = Type.Optional(
  wireVector("With `vector` in `include`: of the document's best passage, at unit length."),
)
/** Of a document as a whole. */
export const DocumentVectorFields = {
  vector: Type.Optional(
    wireVector('With `vector` in `include`: what the document is found by, where that is one vector.'),
  ),
  vectors: Type.Optional(
    Type.Array(wireVector('Of one passage.'), {
      description: 'The same where it is several, in the order of the text.',
    }),
  ),
}

/** What an answer is to have of each document. */
export type IncludeName = DocumentField | 'vector'

/** The fields that an index reads, and whether vectors are wanted, too. */
export function splitInclude<T extends readonly IncludeName[] | undefined>(include: T) {
  return {
    fields: include?.filter((name) => name !== 'vector'),
    withVectors: include?.includes('vector') ?? false,
  }
}

export interface VectorWish {
  format: EncodingFormat
  limits: Pick<HttpLimits, 'answerVectorNumbersMax'>
  signal: AbortSignal
}

/**
 * The vectors of each document's passages, as they are written; of one that is gone meanwhile there are none.
 * @throws ServiceError TOO_LARGE (`answerVectorNumbersMax`)
 */
export async function vectorsOf(
  index: DocumentIndex,
  ids: readonly string[],
  { format, limits, signal }: VectorWish,
): Promise<Map<string, WireVector[]>> {
  const max = limits.answerVectorNumbersMax
  if (ids.length * index.dimensions > max) throw tooMany(max)
  const found = await index.passages(ids, { signal })
  const vectors = new Map<string, WireVector[]>()
  for (const [i, passages = []] of found.entries()) {
    vectors.set(
      ids[i]!,
      passages.map(({ vector }) => vectorValue(vector, format)),
    )
  }
  return vectors
}

/** Most documents of a page whose vectors are wanted. */
export function pageMax(
  { dimensions }: DocumentIndex,
  { answerVectorNumbersMax }: VectorWish['limits'],
): number {
  return Math.max(1, Math.floor(answerVectorNumbersMax / dimensions))
}

/** A document's vectors as its answer has them. */
export function vectorFields(vectors: readonly WireVector[] = []) {
  const [only, ...others] = vectors
  if (only === undefined) return {}
  return others.length === 0 ? { vector: only } : { vectors: [...vectors] }
}

function tooMany(max: number): ServiceError {
  const message = `The vectors of this answer have more than ${max} numbers (ANSWER_VECTOR_NUMBERS_MAX); ask for fewer results, or leave vector out of include.`
  return new ServiceError('TOO_LARGE', message, { field: 'include', limit: max })
}
