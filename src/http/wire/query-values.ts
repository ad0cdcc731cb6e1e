import type { TSchema } from 'typebox'
import { ServiceError } from '../../errors.ts'

/**
 * The values of a query string, which are text, as their schema has them. Only the usual way to write a whole
 * number is one: ` 5`, `+5`, `5.9`, `0x10` and `1e2` stay text, and are refused for it.
 *
 * @throws ServiceError INVALID_INPUT for a name that is given more than once
 */
export function queryValues(schema: TSchema, query: unknown): Record<string, unknown> {
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> }
  const values = Object.entries(query as Record<string, string | string[]>).map(([name, value]) => {
    const field = name.slice(0, 64)
    if (Array.isArray(value)) {
      throw new ServiceError('INVALID_INPUT', `${field} is given more than once; give it once.`, { field })
    }
    const isNumber = Object.hasOwn(properties, name) && properties[name]?.type === 'integer'
    return [name, isNumber && /^-?(0|[1-9]\d*)$/.test(value) ? Number(value) : value]
  })
  return Object.fromEntries(values)
}
