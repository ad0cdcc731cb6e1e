import type { Filter } from '../../src/index/filter.ts'
import type { JsonScalar, Metadata } from '../../src/index/json.ts'
import { type DateFields, NO_DATES } from '../../src/index/metadata/dates.ts'
import { type MetadataValue, metadataValues } from '../../src/index/metadata-values.ts'
import { compareCodePoints } from '../../src/index/order.ts'

/** Whether metadata meets the filter: the reference meaning that every store's own way must equal. */
export function matches(filter: Filter, metadata: Metadata, dates: DateFields = NO_DATES): boolean {
  const places = new Map<string, MetadataValue['value'][]>()
  for (const { path, value } of metadataValues(metadata, dates)) {
    const key = JSON.stringify(path)
    const values = places.get(key)
    if (values) values.push(value)
    else places.set(key, [value])
  }
  return holds(filter, (path) => places.get(JSON.stringify(path)) ?? [])
}

function holds(filter: Filter, reach: (path: string[]) => MetadataValue['value'][]): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.filters.every((part) => holds(part, reach))
    case 'or':
      return filter.filters.some((part) => holds(part, reach))
    case 'not':
      return !holds(filter.filter, reach)
    case 'exists':
      return reach(filter.path).length > 0
    case 'in':
      return reach(filter.path).some((value) => filter.values.includes(value as JsonScalar))
    case 'range':
      return reach(filter.path).some((value) => {
        return filter.bounds.every((bound) => inRange(value, bound.operator, bound.value))
      })
  }
}

function inRange(value: MetadataValue['value'], operator: string, bound: string | number): boolean {
  let order: number
  if (typeof value === 'number' && typeof bound === 'number')
    order = value < bound ? -1 : value > bound ? 1 : 0
  else if (typeof value === 'string' && typeof bound === 'string') order = compareCodePoints(value, bound)
  else return false
  if (operator === 'gt') return order > 0
  if (operator === 'gte') return order >= 0
  if (operator === 'lt') return order < 0
  return order <= 0
}
