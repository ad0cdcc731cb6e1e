import type { TSchema } from 'typebox'

/** What this file reads of a schema. */
interface Shape {
  type?: string | string[]
  enum?: unknown[]
  properties?: Record<string, TSchema>
  required?: string[]
  items?: TSchema
  anyOf?: TSchema[]
  maxItems?: number
}

/**
 * In every body a null means the same as leaving the field out, wherever the field is optional: clients write their
 * unset fields so. A field for which null is a value of its own keeps it.
 *
 * @returns a function that takes such nulls out of a value, whatever the value is; undefined where none can be
 */
export function nullRemover(schema: TSchema): ((value: unknown) => void) | undefined {
  const { properties, items, maxItems = Number.POSITIVE_INFINITY } = schema as Shape
  if (items) {
    const remove = nullRemover(items)
    return (
      remove &&
      ((value) => {
        if (Array.isArray(value) && value.length <= maxItems) for (const item of value) remove(item)
      })
    )
  }
  if (!properties) return undefined
  const fields = Object.entries(properties)
  const optional = fields.filter(([name, field]) => isOptional(schema, name) && !takesNull(field))
  const inner = fields.flatMap(([name, field]) => {
    const remove = nullRemover(field)
    return remove ? [{ name, remove }] : []
  })
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return
    const object = value as Record<string, unknown>
    for (const [name] of optional) if (object[name] === null) delete object[name]
    for (const { name, remove } of inner) remove(object[name])
  }
}

/** The schema as clients see it: with null among the values of every optional field. */
export function withNulls(schema: TSchema): TSchema {
  const { properties, items, anyOf } = schema as Shape
  if (anyOf) return { ...schema, anyOf: anyOf.map(withNulls) }
  if (items) return { ...schema, items: withNulls(items) }
  if (!properties) return schema
  const fields = Object.entries(properties).map(([name, field]) => {
    const inside = withNulls(field)
    return [name, isOptional(schema, name) && !takesNull(field) ? orNull(inside) : inside]
  })
  return { ...schema, properties: Object.fromEntries(fields) }
}

function orNull(schema: TSchema): TSchema {
  const { type, enum: values } = schema as Shape
  if (type === undefined) return { anyOf: [schema, { type: 'null' }] }
  return { ...schema, type: [type, 'null'].flat(), ...(values && { enum: [...values, null] }) }
}

function isOptional(schema: TSchema, name: string): boolean {
  return !(schema as Shape).required?.includes(name)
}

function takesNull(schema: TSchema): boolean {
  return [(schema as Shape).type].flat().includes('null')
}
