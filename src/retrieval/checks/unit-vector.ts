import { ServiceError } from '../../errors.ts'

/**
 * A caller's vector, brought to unit length.
 * @throws ServiceError INVALID_INPUT where its length is not the model's, or it is zero or not finite
 */
export function unitVector(values: readonly number[], dimensions: number): Float32Array {
  if (values.length !== dimensions) {
    const message = `vector has ${values.length} numbers; this model's have ${dimensions}.`
    throw new ServiceError('INVALID_INPUT', message, { field: 'vector', dimensions })
  }
  // The largest magnitude first, so that squares neither overflow nor vanish.
  const largest = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0)
  if (!(largest > 0 && Number.isFinite(largest))) {
    throw new ServiceError('INVALID_INPUT', 'vector must be finite and not zero.', { field: 'vector' })
  }
  const norm = Math.sqrt(values.reduce((sum, value) => sum + (value / largest) ** 2, 0))
  return Float32Array.from(values, (value) => value / largest / norm)
}
