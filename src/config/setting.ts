import { readFileSync } from 'node:fs'
import { isIP, isIPv4 } from 'node:net'
import type { ApiKey } from '../http/api-key.ts'
import type { LimitTable } from '../limits.ts'
import { parseApiKeys } from './api-keys.ts'

/** One environment variable: how its text becomes a value, and what people read about it. */
export interface Setting<T> {
  group: string
  /** Unit or form of the value, for people: `bytes`, `ms`, `true | false`, ... */
  unit: string
  /** Text of the default, for people; empty where there is none. */
  fallbackText: string
  fallback: T
  doc: string
  /** @throws Error whose message completes "NAME ..." */
  parse(text: string): T
}

/** A whole number between `min` and `max`. */
export function integer(group: string, unit: string, fallback: number, range: [number, number], doc: string) {
  const [min, max] = range
  const parse = (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= min && value <= max)) throw new Error(`must be a whole number from ${min} to ${max}`)
    return value
  }
  return { group, unit, fallback, fallbackText: String(fallback), doc, parse } satisfies Setting<number>
}

/** A part's bounds as settings. */
export function fromLimits<const Table extends LimitTable>(
  group: string,
  table: Table,
): { [Name in keyof Table]: Setting<number> } {
  const settings = Object.entries(table).map(([name, { unit, fallback, min, max, doc }]) => {
    return [name, integer(group, unit, fallback, [min, max], doc)]
  })
  return Object.fromEntries(settings)
}

export function choice<const T extends string>(
  group: string,
  values: readonly T[],
  fallback: NoInfer<T>,
  doc: string,
) {
  const parse = (text: string): T => {
    const value = values.find((known) => known === text)
    if (value === undefined) throw new Error(`must be one of ${values.join(', ')}`)
    return value
  }
  return {
    group,
    unit: values.join(' | '),
    fallback,
    fallbackText: fallback,
    doc,
    parse,
  } satisfies Setting<T>
}

export function text(group: string, unit: string, fallback: string, doc: string) {
  const parse = (value: string): string => {
    if (value.trim() === '' || value.includes('\0')) throw new Error('must not be empty')
    return value
  }
  return { group, unit, fallback, fallbackText: fallback, doc, parse } satisfies Setting<string>
}

export function flag(group: string, doc: string, fallback = false) {
  const parse = (value: string): boolean => {
    if (value !== 'true' && value !== 'false') throw new Error('must be true or false')
    return value === 'true'
  }
  const unit = 'true | false'
  return { group, unit, fallback, fallbackText: String(fallback), doc, parse } satisfies Setting<boolean>
}

export function apiKeys(group: string, unit: string, doc: string) {
  const parse = (text: string): ApiKey[] => parseApiKeys(text, 'API_KEYS', 'item')
  const fallback: ApiKey[] = []
  return { group, unit, fallback, fallbackText: '', doc, parse } satisfies Setting<ApiKey[]>
}

export function apiKeysFile(group: string, doc: string) {
  const parse = (path: string): ApiKey[] => {
    const keys = parseApiKeys(contentOf(path), 'API_KEYS_FILE', 'line')
    if (keys.length === 0) throw new Error('names a file without a key')
    return keys
  }
  const fallback: ApiKey[] = []
  return { group, unit: 'path', fallback, fallbackText: '', doc, parse } satisfies Setting<ApiKey[]>
}

/** A file whose content is the value; empty where there is none. */
export function fileContent(group: string, doc: string) {
  return {
    group,
    unit: 'path',
    fallback: '',
    fallbackText: '',
    doc,
    parse: contentOf,
  } satisfies Setting<string>
}

function contentOf(path: string): string {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`)
  }
  if (content.trim() === '') throw new Error('names an empty file')
  return content
}

/** Addresses, networks as address/bits, or names of private networks, between commas. */
export function networks(group: string, doc: string) {
  const parse = (value: string): string[] => {
    const items = value.split(',').map((item) => item.trim())
    for (const item of items) {
      if (item === 'loopback' || item === 'linklocal' || item === 'uniquelocal') continue
      const [address = '', bits, ...rest] = item.split('/')
      const bitsMax = isIPv4(address) ? 32 : 128
      const isNetwork = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax)
      // All addresses of the world are no proxy: whoever calls could choose an address.
      if (isIP(address) && isNetwork && rest.length === 0 && bits !== '0') continue
      throw new Error('must list addresses, networks such as 10.0.0.0/8, loopback, linklocal or uniquelocal')
    }
    return items
  }
  const fallback: string[] = []
  const unit = 'address, ...'
  return { group, unit, fallback, fallbackText: '', doc, parse } satisfies Setting<string[]>
}

/** Origins of pages as browsers write them, between commas; or `*` alone. */
export function origins(group: string, doc: string) {
  const parse = (value: string): string[] => {
    const items = value.split(',').map((item) => item.trim())
    for (const item of items) {
      if (item === '*' && items.length === 1) continue
      const origin = /^https?:[^*]+$/i.test(item) && URL.canParse(item) ? new URL(item).origin : undefined
      if (origin === item) continue
      const form = origin ?? 'https://app.example.org'
      throw new Error(`must list origins, each written like ${form}, or be * alone`)
    }
    return items
  }
  const fallback: string[] = []
  const unit = 'origin, ...'
  return { group, unit, fallback, fallbackText: '', doc, parse } satisfies Setting<string[]>
}
