import { repeatedKey, scanJson } from './json-scan.ts'

/** Objects and lists inside one another; deeper JSON would exhaust the stack of whoever walks it. */
export const JSON_DEPTH_MAX = 64

/** Fatal: bytes that are not UTF-8 are a fault, not a replacement character in somebody's document. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Why something is not I-JSON. */
export class JsonFault extends Error {
  /** `syntax`: it is no JSON at all. */
  readonly kind: 'syntax' | 'content'
  /** Where the fault stands, if that is known. */
  readonly field: string
  constructor(kind: JsonFault['kind'], message: string, field = '') {
    super(message)
    this.kind = kind
    this.field = field
  }
}

/** A list has more items than `limit`. */
export class ListFault extends JsonFault {
  readonly limit: number
  constructor(subject: string, field: string, limit: number) {
    super('content', `${field || subject} has more than ${limit} items.`, field)
    this.limit = limit
  }
}

/**
 * The value of a JSON text that keeps the rules of RFC 7493 (I-JSON), under which nothing is lost between writer
 * and reader: UTF-8, no lone surrogates, no key twice in one object, no number beyond 2^53 that a double would
 * round. A byte order mark at its start is skipped. Every JSON that the service reads comes through here.
 *
 * @param subject names the text in messages: `The body`
 * @param root what the names of its fields begin with
 * @throws JsonFault
 */
export function parseIJson(source: Uint8Array | string, subject: string, root = ''): unknown {
  const text = typeof source === 'string' ? source : decodeJson(source, subject)
  const { depth, fields, rounded } = scanJson(text)
  // Before parsing: a parser's memory grows with the depth.
  if (depth > JSON_DEPTH_MAX) {
    throw new JsonFault('content', `${subject} is nested deeper than ${JSON_DEPTH_MAX} levels; flatten it.`)
  }
  const value = parse(text, subject)
  const refuse = (field: string, why: string) => {
    throw new JsonFault('content', `${field || subject} ${why}.`, field)
  }
  if (rounded !== undefined) {
    const field = findPath(value, (item) => item === rounded, root) ?? ''
    refuse(field, 'is a number beyond 2^53 that would be rounded; send it as a string')
  }
  if (/\\u[dD][89a-fA-F]/.test(text)) {
    const field = findPath(value, (item) => typeof item === 'string' && !item.isWellFormed(), root)
    if (field !== undefined) refuse(field, 'is not well-formed Unicode (a lone surrogate)')
  }
  if (fields > 0 && countFields(value as object) < fields) {
    const key = repeatedKey(text)?.slice(0, 64)
    refuse('', `has the field ${key} twice in one object; send it once`)
  }
  return value
}

/** @throws JsonFault for bytes that are not UTF-8 */
export function decodeJson(bytes: Uint8Array, subject: string): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new JsonFault('syntax', `${subject} is not UTF-8.`)
  }
}

function parse(text: string, subject: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new JsonFault('syntax', `${subject} is not valid JSON.`)
  }
}

function countFields(value: object): number {
  let fields = 0
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object' && item !== null) fields += countFields(item)
    return fields
  }
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key]
    fields += typeof item === 'object' && item !== null ? 1 + countFields(item) : 1
  }
  return fields
}

/** Where the first value or key stands for which `wanted` holds: `documents[3].metadata.size`; a key's object. */
function findPath(value: unknown, wanted: (item: unknown) => boolean, path: string): string | undefined {
  if (wanted(value)) return path.slice(0, 200)
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, item] of Object.entries(value)) {
    if (!Array.isArray(value) && wanted(key)) return path.slice(0, 200)
    const step = Array.isArray(value) ? `[${key}]` : `${path && '.'}${key}`
    const found = findPath(item, wanted, path + step)
    if (found !== undefined) return found
  }
  return undefined
}
