import type { JsonScalar } from '../json.ts'
import { compareCodePoints, compareScalars } from '../order.ts'

/** One field that documents are sorted by. */
export interface SortKey {
  path: string[]
  order: 'asc' | 'desc'
}

/**
 * What a document is sorted by: the smallest value of the field when it ascends, the largest when it descends;
 * undefined where it has none, and then it comes last either way.
 */
export type SortValue = JsonScalar | undefined

/** Where a document stands in a sorted list. */
export interface Place {
  /** One for each key. */
  values: SortValue[]
  id: string
}

/** Orders places; equal values by id. */
export function comparePlaces(sort: readonly SortKey[], a: Place, b: Place): number {
  for (const [i, { order }] of sort.entries()) {
    const [x, y] = [a.values[i], b.values[i]]
    if (x === y) continue
    if (x === undefined) return 1
    if (y === undefined) return -1
    return order === 'asc' ? compareScalars(x, y) : compareScalars(y, x)
  }
  return compareCodePoints(a.id, b.id)
}
