import type { JsonScalar } from './vector-store.ts'

/**
 * Conditions on metadata, parsed and checked once at the edge; stores only compile or evaluate this tree.
 *
 * Wire form: `{field: value}`, `{field: {$eq $ne $in $nin $gt $gte $lt $lte $exists}}`, `$and $or $not`; several
 * fields in one object mean all of them. A dotted field is a path into nested metadata; `\.` is a literal dot.
 *
 * Meaning, the same in every store:
 * - a comparison holds only between values of one type (number, string, boolean, null); strings compare by Unicode
 *   code point;
 * - where the field holds a list, a positive condition holds if it holds for some element;
 * - `$ne` and `$nin` are exactly "not `$eq`" and "not `$in`": a document without the field matches them;
 * - `$exists` asks whether the path leads to a value, `null` included.
 */
export type Filter =
  | { kind: 'and' | 'or'; filters: Filter[] }
  | { kind: 'not'; filter: Filter }
  | { kind: 'in'; path: string[]; values: JsonScalar[] }
  | { kind: 'range'; path: string[]; operator: RangeOperator; value: string | number }
  | { kind: 'exists'; path: string[] }

export type RangeOperator = 'gt' | 'gte' | 'lt' | 'lte'

/** Bounds that keep a filter from costing more than a search. */
export const FILTER_LIMITS = {
  conditionsMax: 256,
  depthMax: 16,
  valuesMax: 10_000,
  pathSegmentsMax: 16,
} as const
