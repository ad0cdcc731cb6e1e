import { createHash, timingSafeEqual } from 'node:crypto'
import type { ApiKey, Scope } from '../api-key.ts'

/** A key that is known, without its value. */
export interface KnownKey {
  name: string
  scope: Scope
  /** Undefined: the whole service. */
  collections: ReadonlySet<string> | undefined
  expiresAt: number
  /** SHA-256 of the value, the same for as long as the key is. */
  hash: Buffer
}

/** The keys in force. They may be replaced while requests are served. */
export class KeyRing {
  #keys: readonly KnownKey[]
  /** Without any key at the start, the service is open. */
  readonly open: boolean

  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys.map(known)
    this.open = keys.length === 0
  }

  /**
   * Puts other keys in force, at once.
   * @returns names of the keys that came and went; a key whose value changed does both
   */
  replace(keys: readonly ApiKey[]): { added: string[]; removed: string[] } {
    const [before, after] = [this.#keys, keys.map(known)]
    const missingFrom = (others: readonly KnownKey[]) => (key: KnownKey) =>
      !others.some(
        (other) => key.name === other.name && mayDoTheSame(key, other) && key.hash.equals(other.hash),
      )
    this.#keys = after
    return {
      added: after.filter(missingFrom(before)).map(({ name }) => name),
      removed: before.filter(missingFrom(after)).map(({ name }) => name),
    }
  }

  /** Hashes are compared, all of them, in constant time: neither length nor place of a match shows. */
  find(presented: string): KnownKey | undefined {
    const hash = sha256(presented)
    let match: KnownKey | undefined
    for (const key of this.#keys) if (timingSafeEqual(hash, key.hash)) match = key
    return match
  }
}

function mayDoTheSame(a: KnownKey, b: KnownKey): boolean {
  const list = ({ collections }: KnownKey) => collections && [...collections].sort().join('+')
  return a.scope === b.scope && list(a) === list(b)
}

function known({ name, scope, collections, expiresAt, key }: ApiKey, index: number): KnownKey {
  const hash = sha256(key)
  return {
    name: name ?? `key-${index + 1}`,
    scope,
    collections: collections && new Set(collections),
    expiresAt: expiresAt ?? Number.POSITIVE_INFINITY,
    hash,
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
