import type { Document } from '../../src/index/document.ts'
import type { DateFields } from '../../src/index/metadata/dates.ts'
import type { Place, SortKey, SortValue } from '../../src/index/metadata/sort.ts'
import { metadataValues } from '../../src/index/metadata-values.ts'
import { compareScalars } from '../../src/index/order.ts'

/** Where a document stands in a sorted list: the reference meaning that every index's own way must equal. */
export function placeOf({ id, metadata }: Document, sort: readonly SortKey[], dates: DateFields): Place {
  const places = metadataValues(metadata, dates)
  const values = sort.map(({ path, order }): SortValue => {
    const own = places.filter((place) => JSON.stringify(place.path) === JSON.stringify(path))
    const scalars = own.flatMap(({ value }) => (typeof value === 'object' && value !== null ? [] : [value]))
    return scalars.sort(compareScalars).at(order === 'asc' ? 0 : -1)
  })
  return { id, values }
}
