import { type Filter, PATH_SEGMENTS_MAX, type RangeBound } from '../../index/filter.ts'
import type { JsonScalar } from '../../index/json.ts'
import { type DateFields, instantOf, NO_DATES } from '../../index/metadata/dates.ts'
import { NO_DATE } from './check-dates.ts'
import { checkUnicode } from './check-text.ts'
import { invalid, parsePath } from './parse-path.ts'

/** Bounds that keep a filter from costing more than a search. */
export const FILTER_LIMITS = {
  /** Conditions on fields in one filter. */
  conditionsMax: 256,
  /** `$and`, `$or` and `$not` inside one another. */
  depthMax: 16,
  /** Values to compare with, over all conditions of one filter. */
  valuesMax: 10_000,
  /** Parts of one dotted path. */
  pathSegmentsMax: PATH_SEGMENTS_MAX,
} as const

const OPERATORS = '$eq, $ne, $in, $nin, $gt, $gte, $lt, $lte, $exists'

/** What is left of FILTER_LIMITS while one filter is read, and what its values are read as. */
interface Budget {
  conditions: number
  values: number
  readonly dates: DateFields
}

/**
 * @param dates of the collection: strings compared with them are dates, too
 * @throws ServiceError INVALID_INPUT naming the place in the filter and what may stand there
 */
export function parseFilter(wire: unknown, dates: DateFields = NO_DATES): Filter {
  return parseObject(wire, 'filter', 1, {
    conditions: FILTER_LIMITS.conditionsMax,
    values: FILTER_LIMITS.valuesMax,
    dates,
  })
}

function parseObject(wire: unknown, at: string, depth: number, budget: Budget): Filter {
  if (!isObject(wire)) throw invalid(at, `must be an object of conditions, not ${describe(wire)}`)
  if (depth > FILTER_LIMITS.depthMax) {
    throw invalid(at, `is nested deeper than ${FILTER_LIMITS.depthMax} levels; flatten it`)
  }
  const filters = Object.entries(wire).flatMap(([key, value]): Filter[] => {
    const here = `${at}.${key}`
    if (key === '$and' || key === '$or') {
      if (!Array.isArray(value) || value.length === 0) {
        throw invalid(here, 'must be a list of at least one filter')
      }
      const parts = value.map((part, i) => parseObject(part, `${here}[${i}]`, depth + 1, budget))
      return [{ kind: key === '$and' ? 'and' : 'or', filters: parts }]
    }
    if (key === '$not') return [{ kind: 'not', filter: parseObject(value, here, depth + 1, budget) }]
    if (key.startsWith('$')) {
      throw invalid(
        here,
        `is not an operator here: write a field, $and, $or or $not (\\$ begins such a field)`,
      )
    }
    return parseField(parsePath(key, here), value, here, budget)
  })
  return filters.length === 1 ? filters[0]! : { kind: 'and', filters }
}

function parseField(path: string[], wire: unknown, at: string, budget: Budget): Filter[] {
  if (!isObject(wire)) {
    spend(budget, 'conditions', at)
    if (Array.isArray(wire))
      throw invalid(at, 'is a list: write {"$in": [...]} to match one of several values')
    return [{ kind: 'in', path, values: [scalar(wire, at, path, budget)] }]
  }
  const entries = Object.entries(wire)
  if (entries.length === 0) throw invalid(at, `must be a value or an object of ${OPERATORS}`)
  const filters = entries.map(([operator, value]): Filter => {
    const here = `${at}.${operator}`
    spend(budget, 'conditions', here)
    switch (operator) {
      case '$eq':
        return { kind: 'in', path, values: [scalar(value, here, path, budget)] }
      case '$ne':
        return { kind: 'not', filter: { kind: 'in', path, values: [scalar(value, here, path, budget)] } }
      case '$in':
        return { kind: 'in', path, values: list(value, here, path, budget) }
      case '$nin':
        return { kind: 'not', filter: { kind: 'in', path, values: list(value, here, path, budget) } }
      case '$gt':
      case '$gte':
      case '$lt':
      case '$lte': {
        const bound = scalar(value, here, path, budget)
        if (typeof bound !== 'number' && typeof bound !== 'string') {
          throw invalid(here, `must be a number or a string, not ${describe(value)}`)
        }
        return {
          kind: 'range',
          path,
          bounds: [{ operator: operator.slice(1) as RangeBound['operator'], value: bound }],
        }
      }
      case '$exists':
        if (typeof value !== 'boolean') throw invalid(here, `must be true or false, not ${describe(value)}`)
        return value ? { kind: 'exists', path } : { kind: 'not', filter: { kind: 'exists', path } }
      default:
        throw invalid(
          here,
          `is not an operator: use one of ${OPERATORS}, or a dotted path (a.b) to reach a nested field`,
        )
    }
  })
  const bounds = filters.flatMap((filter) => (filter.kind === 'range' ? filter.bounds : []))
  const others = filters.filter((filter) => filter.kind !== 'range')
  return bounds.length === 0 ? others : [...others, { kind: 'range', path, bounds }]
}

function list(value: unknown, at: string, path: string[], budget: Budget): JsonScalar[] {
  if (!Array.isArray(value)) throw invalid(at, `must be a list of values, not ${describe(value)}`)
  return value.map((item, i) => scalar(item, `${at}[${i}]`, path, budget))
}

function scalar(value: unknown, at: string, path: string[], budget: Budget): JsonScalar {
  spend(budget, 'values', at)
  if (typeof value === 'string') {
    checkUnicode(value, at)
    if (!budget.dates.has(path)) return value
    const instant = instantOf(value)
    if (instant === undefined) throw invalid(at, NO_DATE)
    return instant
  }
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw invalid(at, `must be a string, a finite number, true, false or null, not ${describe(value)}`)
}

function spend(budget: Budget, what: 'conditions' | 'values', at: string): void {
  if (--budget[what] >= 0) return
  throw invalid(at, `exceeds the ${FILTER_LIMITS[`${what}Max`]} ${what} that one filter may hold`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return typeof value === 'number' ? 'a number' : `a ${typeof value}`
}
