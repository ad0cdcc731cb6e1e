import { ServiceError } from '../../errors.ts'
import type { Passage } from '../../index/document.ts'
import type { DocumentIndex } from '../../index/document-index.ts'
import { unitVector } from '../../index/unit-vector.ts'

/** What the mean of the documents to be unlike counts, against the mean of those to be like. */
export const UNLIKE_WEIGHT = 0.5
/** A sum this short says nothing: it is what rounding leaves of documents that cancel each other out. */
const LENGTH_MIN = 1e-4

export interface Likes {
  /** Documents to be like; at least one. */
  like: readonly string[]
  unlike: readonly string[]
}

/**
 * The vector to search by: the mean of the documents to be like, less half the mean of those to be unlike. A document
 * counts by the mean of its passages, at unit length.
 *
 * @throws ServiceError NOT_FOUND (an id without a document), INVALID_INPUT (nothing is left of the sum), and what the
 *   index throws
 */
export async function vectorLike(
  index: DocumentIndex,
  { like, unlike }: Likes,
  signal: AbortSignal,
): Promise<Float32Array> {
  const found = await index.passages([...like, ...unlike], { signal })
  const vectors = found.map((passages, i) => {
    const field = i < like.length ? nameOf('like', i, like) : nameOf('unlike', i - like.length, unlike)
    if (passages) return meanVector(passages)
    throw new ServiceError('NOT_FOUND', `There is no document with the id given as ${field}.`, { field })
  })
  const [first] = vectors
  if (first && vectors.length === 1) return first
  const units = vectors.map((vector) => unitVector(vector, index.dimensions))
  const near = mean(units.slice(0, like.length))
  const far = mean(units.slice(like.length))
  const sum = near.map((value, i) => value - UNLIKE_WEIGHT * (far[i] ?? 0))
  if (Math.hypot(...sum) < LENGTH_MIN) {
    const message = 'The documents of like and unlike cancel each other out; give others, or more of them.'
    throw new ServiceError('INVALID_INPUT', message, { field: 'like' })
  }
  return Float32Array.from(sum)
}

/** What a document as a whole says: its passage's vector, or the mean of several. */
function meanVector(passages: readonly Passage[]): Float32Array {
  const [first, ...others] = passages.map(({ vector }) => vector)
  return others.reduce((sum, vector) => sum.map((value, i) => value + vector[i]!), first!)
}

/** Empty where there are none. */
function mean(vectors: readonly Float32Array[]): number[] {
  return Array.from(vectors[0] ?? [], (_, i) => {
    return vectors.reduce((sum, vector) => sum + vector[i]!, 0) / vectors.length
  })
}

function nameOf(field: string, i: number, ids: readonly string[]): string {
  return ids.length === 1 ? field : `${field}[${i}]`
}
