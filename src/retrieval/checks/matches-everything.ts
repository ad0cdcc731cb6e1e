import type { Filter, RangeBound } from '../../index/filter.ts'
import { compareCodePoints } from '../../index/order.ts'

type Condition = Filter & { path: string[] }
type Range = readonly RangeBound[]

/** Bounds on the search for a document that does not match; filters of more conditions say something. */
const CONDITIONS_MAX = 64
const CASES_MAX = 2000
/** A list of no more values is looked at value by value. */
const VALUES_APART_MAX = 16

/**
 * Whether a filter matches every document whatever is stored, however it is spelt: every way in which its conditions
 * can hold or not is looked at, as far as they depend on each other only where one path is in both.
 */
export function matchesEverything(given: Filter): boolean {
  const filter = valuesApart(given)
  const conditions = conditionsOf(filter)
  if (conditions.length > CONDITIONS_MAX) return false
  const impossible = conditions.filter(isImpossible).map((condition) => [condition, false] as const)
  let cases = CASES_MAX
  const always = (known: ReadonlyMap<Filter, boolean>): boolean => {
    const truth = truthOf(filter, known)
    if (truth !== undefined) return truth
    const open = conditions.find((condition) => !known.has(condition))
    if (!open || --cases < 0) return false
    return [false, true].every((holds) => always(supposing(open, holds, known, conditions)))
  }
  return always(new Map(impossible))
}

/** The same filter with `a is 1 or 2` as `a is 1, or a is 2`. */
function valuesApart(filter: Filter): Filter {
  if (filter.kind === 'not') return { kind: 'not', filter: valuesApart(filter.filter) }
  if ('filters' in filter) return { ...filter, filters: filter.filters.map(valuesApart) }
  if (filter.kind !== 'in' || filter.values.length > VALUES_APART_MAX) return filter
  return { kind: 'or', filters: filter.values.map((value) => ({ ...filter, values: [value] })) }
}

function conditionsOf(filter: Filter): Condition[] {
  if (filter.kind === 'not') return conditionsOf(filter.filter)
  return 'filters' in filter ? filter.filters.flatMap(conditionsOf) : [filter]
}

/** What a filter comes to with what is known of its conditions, if that is enough. */
function truthOf(filter: Filter, known: ReadonlyMap<Filter, boolean>): boolean | undefined {
  if (filter.kind === 'not') {
    const truth = truthOf(filter.filter, known)
    return truth === undefined ? undefined : !truth
  }
  if (!('filters' in filter)) return known.get(filter)
  const truths = filter.filters.map((part) => truthOf(part, known))
  const decisive = filter.kind === 'or'
  if (truths.includes(decisive)) return decisive
  return truths.includes(undefined) ? undefined : !decisive
}

/** What is known once a condition holds, or does not. */
function supposing(
  condition: Condition,
  holds: boolean,
  known: ReadonlyMap<Filter, boolean>,
  conditions: readonly Condition[],
): Map<Filter, boolean> {
  const more = new Map(known).set(condition, holds)
  for (const other of conditions) {
    if (more.has(other)) continue
    if (holds ? implies(condition, other) : implies(other, condition)) more.set(other, holds)
  }
  return more
}

/** Whether every document that meets one condition meets the other. */
function implies(one: Condition, other: Condition): boolean {
  if (one.path.length !== other.path.length || one.path.some((name, i) => name !== other.path[i]))
    return false
  if (other.kind === 'exists') return true
  if (one.kind === 'in') {
    if (other.kind === 'in') return one.values.every((value) => other.values.includes(value))
    return one.values.every((value) => {
      if (typeof value !== 'number' && typeof value !== 'string') return false
      return isWithin(
        [
          { operator: 'gte', value },
          { operator: 'lte', value },
        ],
        bounds(other),
      )
    })
  }
  return one.kind === 'range' && other.kind === 'range' && isWithin(bounds(one), bounds(other))
}

/** A condition that no value can meet. */
function isImpossible(condition: Condition): boolean {
  if (condition.kind !== 'range') return false
  const all = bounds(condition)
  if (new Set(all.map(({ value }) => typeof value)).size > 1) return true
  return all.some((low) =>
    all.some((high) => {
      if (!isLower(low) || isLower(high)) return false
      const order = compare(low.value, high.value)
      return order > 0 || (order === 0 && (low.operator === 'gt' || high.operator === 'lt'))
    }),
  )
}

/** The bounds that are written, and those that all numbers, or all strings, keep. */
function bounds(condition: Condition): Range {
  if (condition.kind !== 'range') return []
  const written = condition.bounds
  if (typeof written[0]?.value === 'string') return [...written, { operator: 'gte', value: '' }]
  return [
    ...written,
    { operator: 'gte', value: -Number.MAX_VALUE },
    { operator: 'lte', value: Number.MAX_VALUE },
  ]
}

/** Whether each bound of the outer range follows from one of the inner range. */
function isWithin(inner: Range, outer: Range): boolean {
  return outer.every((wide) =>
    inner.some((tight) => {
      if (isLower(tight) !== isLower(wide) || typeof tight.value !== typeof wide.value) return false
      const order = isLower(wide) ? compare(tight.value, wide.value) : compare(wide.value, tight.value)
      return order > 0 || (order === 0 && (isStrict(tight) || !isStrict(wide)))
    }),
  )
}

function compare(a: string | number, b: string | number): number {
  return typeof a === 'string' ? compareCodePoints(a, String(b)) : a - Number(b)
}

function isLower({ operator }: RangeBound): boolean {
  return operator === 'gt' || operator === 'gte'
}

function isStrict({ operator }: RangeBound): boolean {
  return operator === 'gt' || operator === 'lt'
}
