import { turn } from '../../turns.ts'
import type { IndexedDocument } from '../document.ts'
import { unitVector } from '../unit-vector.ts'
import type { UpsertCall } from './wire.ts'

/**
 * Documents as they cross to the worker, the last of equal ids only, their vectors in one buffer that changes hands
 * without a copy. Others have their turn meanwhile: metadata may be large.
 *
 * @throws ServiceError INVALID_INPUT for a vector that cannot be stored; TypeError for a document without a passage
 */
export async function packDocuments(
  documents: readonly IndexedDocument[],
  dimensions: number,
): Promise<UpsertCall> {
  const units = documents.map(({ passages }, i) => {
    if (passages.length === 0) throw new TypeError(`documents[${i}] has no passage`)
    return passages.map(({ vector }) => unitVector(vector, dimensions))
  })
  const last = new Map(documents.map(({ document }, i) => [document.id, i]))
  const kept = [...last.values()]
  const packed: UpsertCall['documents'] = []
  for (const i of kept) {
    const others = turn()
    if (others) await others
    const { document, passages } = documents[i]!
    const { id, text, title, metadata } = document
    const spans = passages.map(({ span }) => span)
    packed.push({ id, text, title, metadata: JSON.stringify(metadata), spans })
  }
  return { vectors: packVectors(kept.flatMap((i) => units[i]!)), documents: packed }
}

/** [vectors, dimensions], row-major. */
export function packVectors(vectors: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const dimensions = vectors[0]?.length ?? 0
  const packed = new Float32Array(vectors.length * dimensions)
  for (const [i, vector] of vectors.entries()) packed.set(vector, i * dimensions)
  return packed
}
