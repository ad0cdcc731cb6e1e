import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

/** What is wrong with a part of a value, and where: a JSON pointer. */
export interface Fault {
  keyword: string
  pointer: string
  message: string
  params: Readonly<Record<string, unknown>>
}

/** Names that a message about unknown fields repeats. */
const NAMES_MAX = 8

/**
 * Finds the first fault of a value by going down into the part that is at fault. TypeBox by itself explains every
 * part of a value, which holds the event loop for seconds where a body has many; here the sizes of lists are looked
 * at before their items, and nothing after the first fault is looked at.
 */
export class FaultFinder {
  readonly #schema: TSchema
  readonly #compiled: ReturnType<typeof Compile>
  /** Made when a fault lies below: of the items, or by property. */
  readonly #parts = new Map<string, FaultFinder>()

  constructor(schema: TSchema) {
    this.#schema = schema
    this.#compiled = Compile(schema)
  }

  /** The first fault, or none. */
  find(value: unknown): Fault | undefined {
    return this.#oversized(value, '') ?? (this.#compiled.Check(value) ? undefined : this.#explain(value, ''))
  }

  /** A list over its limit, here or in a property: told before any item is looked at. */
  #oversized(value: unknown, pointer: string): Fault | undefined {
    const { maxItems } = this.#schema as { maxItems?: number }
    if (Array.isArray(value)) {
      if (maxItems === undefined || value.length <= maxItems) return undefined
      const message = `must not have more than ${maxItems} items`
      return { keyword: 'maxItems', pointer, message, params: { limit: maxItems } }
    }
    const { properties } = this.#schema as { properties?: Record<string, TSchema> }
    if (!properties || !isObject(value)) return undefined
    for (const [name, schema] of Object.entries(properties)) {
      const part = Object.hasOwn(value, name) ? value[name] : undefined
      if (!Array.isArray(part)) continue
      const fault = this.#part(name, schema).#oversized(part, `${pointer}/${escaped(name)}`)
      if (fault) return fault
    }
    return undefined
  }

  /** The fault of a value that has one. */
  #explain(value: unknown, pointer: string): Fault {
    const { properties, items, additionalProperties } = this.#schema as {
      properties?: Record<string, TSchema>
      items?: TSchema
      additionalProperties?: unknown
    }
    if (items && Array.isArray(value)) {
      const finder = this.#part('', items)
      const at = value.findIndex((item) => !finder.#compiled.Check(item))
      if (at >= 0) return finder.#explain(value[at], `${pointer}/${at}`)
    }
    if (properties && isObject(value)) {
      const unknown = additionalProperties === false ? namesNotIn(value, properties) : []
      if (unknown.length > 0) {
        const params = { additionalProperties: unknown }
        return { keyword: 'additionalProperties', pointer, message: 'has unknown fields', params }
      }
      for (const [name, schema] of Object.entries(properties)) {
        if (!Object.hasOwn(value, name)) continue
        const finder = this.#part(name, schema)
        if (!finder.#compiled.Check(value[name])) {
          return finder.#explain(value[name], `${pointer}/${escaped(name)}`)
        }
      }
    }
    // What is left is a fault of the value itself: few words, whatever its size.
    const [fault] = this.#compiled.Errors(value)
    if (!fault) return { keyword: 'unknown', pointer, message: 'is not what this route takes', params: {} }
    const { keyword, instancePath, message, params } = fault
    return { keyword, pointer: pointer + instancePath, message, params: { ...params } }
  }

  #part(name: string, schema: TSchema): FaultFinder {
    const known = this.#parts.get(name)
    if (known) return known
    const part = new FaultFinder(schema)
    this.#parts.set(name, part)
    return part
  }
}

/** The first names of `value` that `known` does not have. */
function namesNotIn(value: object, known: object): string[] {
  const names: string[] = []
  for (const name in value) {
    if (Object.hasOwn(known, name)) continue
    names.push(name)
    if (names.length === NAMES_MAX) break
  }
  return names
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
