import type { JsonScalar } from './json.ts'

/**
 * Orders strings by Unicode code point, as UTF-8 bytes do; `<` orders UTF-16 units, which puts U+1F600 before U+FF5E.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    // Surrogates (code points above U+FFFF) come after every other unit.
    const xHigh = x >= 0xd800 && x <= 0xdfff
    const yHigh = y >= 0xd800 && y <= 0xdfff
    return xHigh === yHigh ? x - y : xHigh ? 1 : -1
  }
  return a.length - b.length
}

const TYPE_ORDER = ['number', 'string', 'boolean', 'object']

/** Orders metadata values of any type: numbers, then strings by code point, then false, true and null. */
export function compareScalars(a: JsonScalar, b: JsonScalar): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  return TYPE_ORDER.indexOf(typeof a) - TYPE_ORDER.indexOf(typeof b)
}

/** Best first; equal scores in id order, so that an answer does not depend on how it was found. */
export function compareHits(a: { id: string; score: number }, b: { id: string; score: number }): number {
  return b.score - a.score || compareCodePoints(a.id, b.id)
}
