import { ServiceError } from '../errors.ts'
import { FILTER_LIMITS } from './filter.ts'
import type { Json, JsonScalar, Metadata } from './json.ts'

/** Bound on what one document adds to the index of metadata. */
export const METADATA_VALUES_MAX = 4096

/** A value that a filter can reach. `container` is an object or a list: it exists but equals nothing. */
export interface MetadataValue {
  path: string[]
  value: JsonScalar | { container: true }
}

const CONTAINER = { container: true } as const

/**
 * Every place in metadata that a filter's path can name, with what is there; lists are transparent (see filter.ts).
 *
 * @throws ServiceError TOO_LARGE past METADATA_VALUES_MAX
 */
export function metadataValues(metadata: Metadata): MetadataValue[] {
  const found: MetadataValue[] = []
  const visit = (path: string[], value: Json): void => {
    if (found.length >= METADATA_VALUES_MAX) {
      throw new ServiceError('TOO_LARGE', `metadata holds more than ${METADATA_VALUES_MAX} values.`, {
        field: 'metadata',
        limit: METADATA_VALUES_MAX,
      })
    }
    if (typeof value !== 'object' || value === null) {
      found.push({ path, value })
      return
    }
    found.push({ path, value: CONTAINER })
    if (Array.isArray(value)) for (const item of value) visit(path, item)
    else visitFields(path, value)
  }
  const visitFields = (path: string[], object: Metadata): void => {
    if (path.length === FILTER_LIMITS.pathSegmentsMax) return
    for (const [key, value] of Object.entries(object)) visit([...path, key], value)
  }
  visitFields([], metadata)
  return found
}
