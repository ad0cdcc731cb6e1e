import type { Json } from './json.ts'

/**
 * Small facts of the service that are no documents: aliases, jobs. Each has a kind and a name. They are part of backups,
 * and a restore brings them back with the documents.
 *
 * Kinds and names are of a-z, 0-9, `_` and `-`, a letter or digit first, at most 64 and 128 of them.
 *
 * @throws ServiceError from every method: INVALID_INPUT (a kind or name that cannot be one), STORE_UNUSABLE (a damaged
 *   record, which the message names; no room; a folder that is gone), UNAVAILABLE (closed)
 */
export interface Records {
  /** Sorted. Damaged ones are among them. */
  names(kind: string): Promise<string[]>
  get(kind: string, name: string): Promise<Json | undefined>
  /** Every record of a kind, by name, sorted. One damaged record fails the call: read by `names` and `get` to go round it. */
  all(kind: string): Promise<Map<string, Json>>
  /** Stores a value in place of the old one; durable when it resolves, and never half. Puts of one name happen in order. */
  put(kind: string, name: string, value: Json): Promise<void>
  /** Durable when it resolves. Nothing happens where there is none. */
  remove(kind: string, name: string): Promise<void>
}
