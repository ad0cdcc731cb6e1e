import type { JsonScalar, Metadata } from '../../src/index/json.ts'
import type { Facet } from '../../src/index/metadata/facets.ts'
import { metadataValues } from '../../src/index/metadata-values.ts'
import { compareScalars } from '../../src/index/order.ts'

/** What one field holds in some documents: the reference meaning that every index's own way must equal. */
export function facetOf(path: string[], limit: number, documents: readonly Metadata[]): Facet {
  const counts = new Map<JsonScalar, number>()
  for (const metadata of documents) {
    const own = metadataValues(metadata).filter(
      (place) => JSON.stringify(place.path) === JSON.stringify(path),
    )
    const scalars = own.flatMap(({ value }) => (typeof value === 'object' && value !== null ? [] : [value]))
    for (const value of new Set(scalars)) counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  const values = [...counts].map(([value, count]) => ({ value, count }))
  values.sort((a, b) => b.count - a.count || compareScalars(a.value, b.value))
  const numbers = [...counts.keys()].filter((value) => typeof value === 'number')
  return {
    values: values.slice(0, limit),
    distinct: values.length,
    ...(numbers.length > 0 && { numbers: { min: Math.min(...numbers), max: Math.max(...numbers) } }),
  }
}
