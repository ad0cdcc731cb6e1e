import { ServiceError } from '../errors.ts'
import type { Json, Metadata } from './json.ts'

const LONE_SURROGATE = /\p{Surrogate}/u
const LONE_SURROGATES = /\p{Surrogate}/gu

/** JSON nested deeper than this is refused: it would exhaust the stack of whoever walks it. */
const METADATA_DEPTH_MAX = 64

/** The string with every lone surrogate as U+FFFD: what any UTF-8 storage would make of it. */
export function wellFormed(text: string): string {
  return LONE_SURROGATE.test(text) ? text.replace(LONE_SURROGATES, '\ufffd') : text
}

export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text)
}

/**
 * A copy of metadata that every store can hold and give back as it is: strings and keys well formed, numbers finite,
 * nothing but JSON. A key such as `__proto__` is a key like any other.
 *
 * @throws ServiceError INVALID_INPUT
 */
export function cleanMetadata(metadata: Metadata): Metadata {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw new ServiceError('INVALID_INPUT', 'metadata must be an object.', { field: 'metadata' })
  }
  return cleanObject(metadata, 1)
}

function cleanObject(object: Metadata, depth: number): Metadata {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [wellFormed(key), clean(value, depth + 1)]),
  )
}

function clean(value: Json, depth: number): Json {
  if (depth > METADATA_DEPTH_MAX) {
    throw new ServiceError('INVALID_INPUT', `metadata is nested deeper than ${METADATA_DEPTH_MAX} levels.`, {
      field: 'metadata',
      limit: METADATA_DEPTH_MAX,
    })
  }
  if (typeof value === 'string') return wellFormed(value)
  if (value === null || typeof value === 'boolean') return value
  // -0 and 0 are one number to every comparison; JSON writes both as 0.
  if (typeof value === 'number' && Number.isFinite(value)) return value === 0 ? 0 : value
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1))
  if (typeof value === 'object') return cleanObject(value, depth)
  throw new ServiceError('INVALID_INPUT', 'metadata may hold JSON values only: no NaN, no undefined.', {
    field: 'metadata',
  })
}
