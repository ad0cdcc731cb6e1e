import type { VectorDocument } from '../document-index.ts'
import { checkDocument } from '../input.ts'
import { metadataValues } from '../metadata-values.ts'
import type { UpsertCall } from './wire.ts'

/**
 * Checked documents, the last of equal ids only, with their vectors in one buffer that changes hands without a copy.
 *
 * @throws ServiceError INVALID_INPUT, TOO_LARGE
 */
export function packDocuments(
  documents: readonly VectorDocument[],
  dimensions: number,
): { argument: UpsertCall; transfer: ArrayBuffer[] } {
  const checked = documents.map((document, i) => checkDocument(document, i, dimensions))
  for (const { metadata } of checked) metadataValues(metadata)
  const last = [...new Map(checked.map((document) => [document.id, document])).values()]
  const vectors = packVectors(last.map(({ vector }) => vector))
  const wire = last.map(({ id, text, title, metadata }) => {
    return { id, text, title, metadata: JSON.stringify(metadata) }
  })
  return { argument: { documents: wire, vectors }, transfer: [vectors.buffer as ArrayBuffer] }
}

/** [vectors, dimensions], row-major. */
export function packVectors(vectors: readonly Float32Array[]): Float32Array {
  const dimensions = vectors[0]?.length ?? 0
  const packed = new Float32Array(vectors.length * dimensions)
  for (const [i, vector] of vectors.entries()) packed.set(vector, i * dimensions)
  return packed
}
