import { ServiceError } from '../errors.ts'
import type { SearchOptions, VectorDocument } from './document-index.ts'
import { cleanMetadata, isWellFormed, wellFormed } from './well-formed.ts'

/** What every store accepts in one call. */
export const STORE_LIMITS = {
  /** Hits asked for per vector. */
  kMax: 10_000,
  /** Breadth of a graph walk. */
  efMax: 10_000,
  /** Documents in one page of a scan. */
  pageMax: 10_000,
} as const

/** Vectors this close to unit length are stored bit for bit as given. */
const UNIT_TOLERANCE = 1e-5

/** @throws ServiceError INVALID_INPUT with the index of the document at fault */
export function checkDocument(document: VectorDocument, index: number, dimensions: number): VectorDocument {
  const { id, text, title, metadata } = document
  try {
    if (typeof id !== 'string' || id === '' || !isWellFormed(id)) {
      throw new ServiceError('INVALID_INPUT', 'id must be a non-empty string of whole Unicode characters.', {
        field: 'id',
      })
    }
    if (typeof text !== 'string' || (title !== null && typeof title !== 'string')) {
      throw new ServiceError('INVALID_INPUT', 'text must be a string; title a string or null.', {
        field: 'text',
      })
    }
    return {
      id,
      text: wellFormed(text),
      title: title === null ? null : wellFormed(title),
      metadata: cleanMetadata(metadata),
      vector: unitVector(document.vector, dimensions),
    }
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    throw new ServiceError(error.code, `documents[${index}]: ${error.message}`, { ...error.details, index })
  }
}

/**
 * The vector itself when it has unit length, else a copy that has: scores are cosines.
 *
 * @throws ServiceError INVALID_INPUT when it has other dimensions, is not finite or is zero
 */
export function unitVector(vector: Float32Array, dimensions: number): Float32Array {
  if (!(vector instanceof Float32Array) || vector.length !== dimensions) {
    const length = vector?.length ?? 0
    throw new ServiceError(
      'INVALID_INPUT',
      `the vector has ${length} numbers; this store holds ${dimensions}.`,
      {
        field: 'vector',
      },
    )
  }
  let sum = 0
  for (const value of vector) sum += value * value
  const norm = Math.sqrt(sum)
  if (!Number.isFinite(norm) || norm < 1e-12) {
    throw new ServiceError('INVALID_INPUT', 'the vector must hold finite numbers, not all of them zero.', {
      field: 'vector',
    })
  }
  return Math.abs(norm - 1) <= UNIT_TOLERANCE ? vector : vector.map((value) => value / norm)
}

/** @throws ServiceError INVALID_INPUT */
export function checkSearch(k: number, options: SearchOptions): void {
  checkCount(k, 'k', STORE_LIMITS.kMax)
  if (options.ef !== undefined) checkCount(options.ef, 'ef', STORE_LIMITS.efMax)
  if (options.minScore !== undefined && !Number.isFinite(options.minScore)) {
    throw new ServiceError('INVALID_INPUT', 'minScore must be a finite number.', { field: 'minScore' })
  }
}

/** @throws ServiceError INVALID_INPUT unless a whole number from 1 to `max` */
export function checkCount(value: number, field: string, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return
  throw new ServiceError('INVALID_INPUT', `${field} must be a whole number from 1 to ${max}.`, {
    field,
    limit: max,
  })
}
