import type { JsonScalar } from './json.ts'

/**
 * Conditions on metadata, parsed and checked once (retrieval/checks/parse-filter.ts); indexes only compile or evaluate this tree.
 *
 * Wire form: `{field: value}`, `{field: {$eq $ne $in $nin $gt $gte $lt $lte $exists}}`, `$and $or $not`; several
 * fields in one object mean all of them, and so do several operators of one field; `{}` matches every document. A
 * dotted field is a path into nested metadata; `\.` is a literal dot, `\\` a backslash, `\$` a dollar sign.
 *
 * Meaning, the same in every index:
 * - a comparison holds only between values of one type (number, string, boolean, null); numbers are doubles; strings
 *   compare by Unicode code point;
 * - lists are transparent, wherever they stand on the path: a positive condition holds if it holds for some element,
 *   so `authors.name` reaches the name of every author in a list of objects;
 * - several of `$gt $gte $lt $lte` on one field are one range, and hold for one and the same element;
 * - `$ne` and `$nin` are exactly "not `$eq`" and "not `$in`": a document without the field matches them;
 * - `$exists` asks whether the path leads to anything: `null`, an object and an empty list are something.
 */
export type Filter =
  | { kind: 'and' | 'or'; filters: Filter[] }
  | { kind: 'not'; filter: Filter }
  | { kind: 'in'; path: string[]; values: JsonScalar[] }
  | { kind: 'range'; path: string[]; bounds: RangeBound[] }
  | { kind: 'exists'; path: string[] }

export interface RangeBound {
  operator: 'gt' | 'gte' | 'lt' | 'lte'
  value: string | number
}

/** Parts of one dotted path; what lies deeper in metadata is out of a filter's reach. */
export const PATH_SEGMENTS_MAX = 16
