import type { Filter } from '../../filter.ts'
import { type SqlValue, sqlValue } from './value-codec.ts'

/** One condition as a piece of SQL after `path = ?`, with the values it binds. */
export interface Condition {
  where: string
  values: SqlValue[]
}

const COMPARISONS = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

/** Conditions on fields in a filter. */
export function conditionCount(filter: Filter): number {
  if (filter.kind === 'not') return conditionCount(filter.filter)
  if (filter.kind !== 'and' && filter.kind !== 'or') return 1
  return filter.filters.reduce((sum, part) => sum + conditionCount(part), 0)
}

/** The statements' fixed texts: nothing a caller wrote is ever part of them. */
export function conditions(filter: Filter): Condition[] {
  switch (filter.kind) {
    case 'exists':
      return [{ where: '', values: [] }]
    case 'in':
      return filter.values.map((value) => ({ where: 'AND value = ?', values: [sqlValue(value)] }))
    case 'range': {
      const [type, mixed] = new Set(filter.bounds.map(({ value }) => typeof value))
      // No value is a number and a string.
      if (mixed) return []
      const bounds = filter.bounds.map(({ operator }) => `AND value ${COMPARISONS[operator]} ?`)
      // Numbers end where text begins (''), text ends where blobs begin (x'').
      const edge = type === 'number' ? `AND value < ''` : `AND value >= '' AND value < x''`
      return [{ where: `${bounds.join(' ')} ${edge}`, values: filter.bounds.map(({ value }) => value) }]
    }
    default:
      return []
  }
}
