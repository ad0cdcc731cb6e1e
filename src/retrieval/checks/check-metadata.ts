import { ServiceError } from '../../errors.ts'
import type { Json, Metadata } from '../../index/json.ts'
import { checkUnicode } from './check-text.ts'

/** Objects and lists inside one another; deeper JSON would exhaust the stack of whoever walks it. */
export const METADATA_DEPTH_MAX = 32
/** Values in one document's metadata: each becomes an entry of the index that filters read. */
export const METADATA_VALUES_MAX = 4096

/**
 * Metadata that every index can hold and give back as it is: nothing but JSON, within the limits.
 *
 * @param field where it stands in the request, for the message: `documents[3].metadata`
 * @param bytesMax of its JSON in UTF-8
 * @throws ServiceError INVALID_INPUT, TOO_LARGE
 */
export function checkMetadata(metadata: Metadata, field: string, bytesMax: number): void {
  let values = 0
  const visit = (value: Json, depth: number): void => {
    if (depth > METADATA_DEPTH_MAX) {
      throw invalid(field, `is nested deeper than ${METADATA_DEPTH_MAX} levels`)
    }
    if (++values > METADATA_VALUES_MAX + 1) {
      throw tooLarge(field, `holds more than ${METADATA_VALUES_MAX} values`, METADATA_VALUES_MAX)
    }
    if (typeof value === 'string') checkUnicode(value, field)
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw invalid(field, 'holds a number that is too large; the largest is about 1.8e308')
    }
    if (typeof value !== 'object' || value === null) return
    if (Array.isArray(value)) {
      for (const item of value) visit(item, depth + 1)
      return
    }
    for (const [key, item] of Object.entries(value)) {
      checkUnicode(key, field)
      if (key === '__proto__') throw invalid(field, 'has a field named __proto__; rename it')
      visit(item, depth + 1)
    }
  }
  visit(metadata, 0)
  const bytes = Buffer.byteLength(JSON.stringify(metadata))
  if (bytes > bytesMax)
    throw tooLarge(field, `is longer than ${bytesMax} bytes (METADATA_BYTES_MAX)`, bytesMax)
}

function invalid(field: string, fault: string): ServiceError {
  return new ServiceError('INVALID_INPUT', `${field} ${fault}.`, { field })
}

function tooLarge(field: string, fault: string, limit: number): ServiceError {
  return new ServiceError('TOO_LARGE', `${field} ${fault}.`, { field, limit })
}
