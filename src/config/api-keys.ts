import { NAME_PATTERN } from '../collections/collection-name.ts'
import type { ApiKey, Scope } from '../http/api-key.ts'

/** Most keys; every one is compared with what a caller sends. */
const KEYS_MAX = 1000
/** Faults told of one list; a file that is something else entirely has one on every line. */
const FAULTS_TOLD_MAX = 5
const COLLECTION = new RegExp(NAME_PATTERN)
const NAME = /^[A-Za-z0-9][\w.:@-]{0,63}$/

/**
 * Keys, separated by commas or line ends, each `scope:key` or `scope@collection+collection:key`
 * and then, after spaces, `name=...` and `expires=...`. Lines
 * that begin with # are left out.
 *
 * @param source begins the names of keys that say none: `API_KEYS_FILE:3` is the key of line 3
 * @throws Error that says which item or line is at fault, and never repeats any of it
 */
export function parseApiKeys(text: string, source: string, place: 'item' | 'line'): ApiKey[] {
  const faults: string[] = []
  const keys: ApiKey[] = []
  for (const { item, number } of itemsOf(text, place)) {
    try {
      keys.push(parseKey(item, `${source}:${number}`))
    } catch (error) {
      faults.push(`${place} ${number} ${(error as Error).message}`)
    }
  }
  faults.push(...repeated(keys))
  if (keys.length > KEYS_MAX) faults.push(`has ${keys.length} keys, and ${KEYS_MAX} are allowed`)
  if (faults.length > FAULTS_TOLD_MAX) {
    faults.splice(FAULTS_TOLD_MAX, Infinity, `and ${faults.length - FAULTS_TOLD_MAX} more faults`)
  }
  if (faults.length > 0) throw new Error(faults.join('; '))
  return keys
}

/** Faults of a whole list: one key or one name twice. */
export function repeated(keys: readonly ApiKey[]): string[] {
  const faults: string[] = []
  const places = new Map<string, string>()
  const names = new Set<string>()
  for (const { key, name } of keys) {
    const first = places.get(key)
    if (first !== undefined) faults.push(`has one key twice, as ${first} and as ${name}`)
    else if (names.has(name!)) faults.push(`has two keys with the name ${name}`)
    places.set(key, name!)
    names.add(name!)
  }
  return faults
}

function itemsOf(text: string, place: 'item' | 'line'): { item: string; number: number }[] {
  const lines = text.replace(/^\uFEFF/, '').split('\n')
  const found = lines.flatMap((line, index) => {
    if (line.trim().startsWith('#')) return []
    return line.split(',').map((item) => ({ item: item.trim(), number: index + 1 }))
  })
  const items = found.filter(({ item }) => item !== '')
  return place === 'line' ? items : items.map(({ item }, index) => ({ item, number: index + 1 }))
}

function parseKey(item: string, fallbackName: string): ApiKey {
  const [credential = '', ...attributes] = item.split(/[ \t]+/)
  const match = /^(read|write)(?:@([^:]*))?:([\x21-\x7e]+)$/.exec(credential)
  if (!match) throw new Error('must begin with read:<key> or write:<key>, the key without spaces')
  const [, scope, collections, secret] = match
  const key: ApiKey = { scope: scope as Scope, key: secret!, name: fallbackName }
  if (collections !== undefined) key.collections = collectionNames(collections)
  const seen = new Set<string>()
  for (const attribute of attributes) {
    const [, what = '', value = ''] = /^(name|expires)=(.+)$/.exec(attribute) ?? []
    if (what === '')
      throw new Error('may have name=<name> and expires=<date> after the key, and nothing else')
    if (seen.has(what)) throw new Error(`has ${what}= twice`)
    seen.add(what)
    if (what === 'expires') key.expiresAt = instantOf(value)
    else if (NAME.test(value)) key.name = value
    else throw new Error('must have a name of 1 to 64 letters, digits and . _ : @ -')
  }
  return key
}

/** `docs+blog` @throws Error that repeats nothing of it */
function collectionNames(text: string): string[] {
  const names = text.split('+')
  if (names.every((name) => COLLECTION.test(name))) return names
  throw new Error(
    'must name collections after @ as in read@docs+blog:<key>, each of 1 to 64 of a-z, 0-9, _ and -, not _ or - first',
  )
}

/** The end of a day in UTC, or a moment with its time zone, in ms since 1970. */
function instantOf(value: string): number {
  const [, day, time] = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?$/.exec(value) ?? []
  const midnight = Date.parse(`${day}T00:00:00Z`)
  // Date.parse takes the 31st of any month.
  const exists = !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day!)
  const instant = time === undefined ? midnight + 24 * 3_600_000 : Date.parse(value)
  if (!exists || Number.isNaN(instant)) {
    throw new Error('must expire on a day (expires=2026-12-31, its end in UTC) or at 2026-12-31T18:00:00Z')
  }
  return instant
}
