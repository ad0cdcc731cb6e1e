import type { CollectionSettings } from '../../index/collection-settings.ts'
import type { Metadata } from '../../index/json.ts'
import { DateFields, instantOf } from '../../index/metadata/dates.ts'
import { metadataValues } from '../../index/metadata-values.ts'
import { invalid } from './parse-path.ts'

export const NO_DATE =
  'is no date: write one of RFC 3339, 2024-05-31 or 2024-05-31T17:45:00.5+02:00, in the years 0000 to 9999'

const known = new WeakMap<object, DateFields>()

/** The fields of a collection whose strings are dates. */
export function dateFieldsOf({ dates }: Pick<CollectionSettings, 'dates'>): DateFields {
  const fields = known.get(dates) ?? new DateFields(dates)
  known.set(dates, fields)
  return fields
}

/**
 * @param field where the metadata stands in the request, for the message
 * @throws ServiceError INVALID_INPUT for a string that is no date in a field of dates
 */
export function checkDates(
  metadata: Metadata,
  field: string,
  settings: Pick<CollectionSettings, 'dates'>,
): void {
  if (settings.dates.length === 0) return
  const dates = dateFieldsOf(settings)
  for (const { path, value } of metadataValues(metadata)) {
    if (typeof value === 'string' && dates.has(path) && instantOf(value) === undefined) {
      throw invalid(`${field}.${path.join('.')}`, NO_DATE)
    }
  }
}
