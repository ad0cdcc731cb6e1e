import type { JsonScalar, Metadata } from '../../src/index/json.ts'
import { type DateFields, dateOf } from '../../src/index/metadata/dates.ts'
import type { Facet } from '../../src/index/metadata/facets.ts'
import { metadataValues } from '../../src/index/metadata-values.ts'
import { compareScalars } from '../../src/index/order.ts'

/** What one field holds in some documents: the reference meaning that every index's own way must equal. */
export function facetOf(
  path: string[],
  limit: number,
  documents: readonly Metadata[],
  dates: DateFields,
): Facet {
  const counts = new Map<JsonScalar, number>()
  for (const metadata of documents) {
    const own = metadataValues(metadata, dates).filter(
      (place) => JSON.stringify(place.path) === JSON.stringify(path),
    )
    const scalars = own.flatMap(({ value }) => (typeof value === 'object' && value !== null ? [] : [value]))
    for (const value of new Set(scalars)) counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  const isDate = dates.has(path)
  const values = [...counts].map(([value, count]) => ({ value, count }))
  values.sort((a, b) => b.count - a.count || compareScalars(a.value, b.value))
  const numbers = [...counts.keys()].filter((value) => typeof value === 'number')
  const written = (value: JsonScalar) => (isDate && typeof value === 'string' ? dateOf(value) : value)
  const instants = [...counts.keys()].filter((value) => isDate && typeof value === 'string').sort()
  return {
    values: values.slice(0, limit).map(({ value, count }) => ({ value: written(value), count })),
    distinct: values.length,
    ...(numbers.length > 0 && { numbers: { min: Math.min(...numbers), max: Math.max(...numbers) } }),
    ...(instants.length > 0 && {
      dates: { min: dateOf(`${instants[0]}`), max: dateOf(`${instants.at(-1)}`) },
    }),
  }
}
