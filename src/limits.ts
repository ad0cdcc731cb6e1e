import { ServiceError } from './errors.ts'

/** A whole-number bound of a part of the service. `config/` makes an environment variable of it. */
export interface Limit {
  /** What it counts: `bytes`, `ms`, `texts`, ... */
  unit: string
  fallback: number
  min: number
  max: number
  /** Its meaning, in a sentence for the operator. */
  doc: string
}

/** Every bound of one part, by name: the only place where its default and range are written. */
export type LimitTable = Readonly<Record<string, Limit>>

/** Values for a table, each within its range. */
export type Limits<Table extends LimitTable> = { readonly [Name in keyof Table]: number }

/**
 * The values given, and defaults for the others. Names that the table does not have are ignored, so that a part may
 * be given the whole configuration.
 *
 * @throws ServiceError INVALID_CONFIG for a value out of its range
 */
export function limitsFrom<Table extends LimitTable>(
  table: Table,
  given: Partial<Limits<Table>> = {},
): Limits<Table> {
  const values = Object.entries(table).map(([name, { fallback, min, max }]) => {
    const value = given[name] ?? fallback
    if (Number.isInteger(value) && value >= min && value <= max) return [name, value]
    const message = `${name} must be a whole number from ${min} to ${max}, not ${value}.`
    throw new ServiceError('INVALID_CONFIG', message, { field: name })
  })
  return Object.fromEntries(values) as Limits<Table>
}
