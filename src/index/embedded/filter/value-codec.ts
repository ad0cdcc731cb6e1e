import type { JsonScalar } from '../../json.ts'
import type { MetadataValue } from '../../metadata-values.ts'

export type SqlValue = string | number | Buffer

/** SQLite orders numbers before text before blobs: what has no order of its own is a blob. */
const FALSE = Buffer.from([0])
const TRUE = Buffer.from([1])
const NULL = Buffer.from([2])
const CONTAINER = Buffer.from([3])

export function sqlValue(value: MetadataValue['value'] | JsonScalar): SqlValue {
  if (typeof value === 'string' || typeof value === 'number') return value
  if (value === null) return NULL
  if (typeof value === 'object') return CONTAINER
  return value ? TRUE : FALSE
}

/** What scalars are below, in the order of SQLite. */
export const SCALARS_END = CONTAINER

/** The value of a row below SCALARS_END. */
export function scalarOf(value: SqlValue): JsonScalar {
  if (!Buffer.isBuffer(value)) return value
  return value.equals(NULL) ? null : value.equals(TRUE)
}

/** A path as one text, in the way filters are written: `a.b\.c`. */
export function sqlPath(path: readonly string[]): string {
  return path.map((segment) => segment.replace(/[\\.]/g, '\\$&')).join('.')
}
