import { ServiceError } from '../errors.ts'

/** Vectors this close to unit length are kept bit for bit as they are. */
const UNIT_TOLERANCE = 1e-5

/**
 * The vector itself when it has unit length and is a Float32Array, else a copy that has: scores are cosines.
 *
 * @param dimensions how many numbers the vectors of the collection have
 * @throws ServiceError INVALID_INPUT when it has another length, is zero or is not finite
 */
export function unitVector(values: Float32Array | readonly number[], dimensions: number): Float32Array {
  if (values.length !== dimensions) {
    const message = `vector has ${values.length} numbers; those here have ${dimensions}.`
    throw new ServiceError('INVALID_INPUT', message, { field: 'vector', dimensions })
  }
  let largest = 0
  let squares = 0
  for (let i = 0; i < dimensions; i++) {
    // Math.max keeps NaN, so one of them makes `largest` NaN.
    largest = Math.max(largest, Math.abs(values[i]!))
    squares += values[i]! * values[i]!
  }
  if (!(largest > 0 && Number.isFinite(largest))) {
    throw new ServiceError('INVALID_INPUT', 'vector must be finite and not zero.', { field: 'vector' })
  }
  if (values instanceof Float32Array && Math.abs(Math.sqrt(squares) - 1) <= UNIT_TOLERANCE) return values
  // By the largest magnitude first, so that squares neither overflow nor vanish.
  let scaled = 0
  for (let i = 0; i < dimensions; i++) scaled += (values[i]! / largest) ** 2
  const norm = Math.sqrt(scaled)
  return Float32Array.from(values, (value) => value / largest / norm)
}
