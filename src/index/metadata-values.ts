import { PATH_SEGMENTS_MAX } from './filter.ts'
import type { Json, JsonScalar, Metadata } from './json.ts'
import { type DateFields, instantOf, NO_DATES } from './metadata/dates.ts'

/** A value that a filter can reach. `container` is an object or a list: it exists but equals nothing. */
export interface MetadataValue {
  path: string[]
  value: JsonScalar | { container: true }
}

const CONTAINER = { container: true } as const

/**
 * Every place in metadata that a filter's path can name, with what is there; lists are transparent (filter.ts).
 *
 * @param dates strings there are given as instants (dates.ts); one that is no date exists and equals nothing
 */
export function metadataValues(metadata: Metadata, dates: DateFields = NO_DATES): MetadataValue[] {
  const found: MetadataValue[] = []
  const visit = (path: string[], value: Json): void => {
    if (typeof value === 'string' && dates.has(path)) {
      found.push({ path, value: instantOf(value) ?? CONTAINER })
      return
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
    if (path.length === PATH_SEGMENTS_MAX) return
    for (const [key, value] of Object.entries(object)) visit([...path, key], value)
  }
  visitFields([], metadata)
  return found
}
