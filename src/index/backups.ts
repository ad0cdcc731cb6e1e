import type { Readable } from 'node:stream'
import type { CallOptions } from './document-index.ts'

/** A whole, verified copy of every collection at one moment. */
export interface Backup {
  name: string
  /** ISO 8601, UTC: everything acknowledged before this moment is in it. */
  createdAt: string
  bytes: number
  collections: { name: string; documents: number; passages: number }[]
}

/**
 * The backups that an engine makes and keeps. One that is listed is whole: it was verified before it got its name.
 *
 * @throws ServiceError from every method: INVALID_INPUT (a name that cannot be one), NOT_FOUND, OVERLOADED (another one
 *   is being made, or this one is being read), STORE_UNUSABLE (no room, or the stored data is damaged), ABORTED
 */
export interface Backups {
  /**
   * Makes one while writes and searches go on. Nothing is left of it when it fails or the signal fires.
   * @param options.name default: made of the time
   * @returns it, and the names of older ones that were removed for it
   */
  create(options?: CallOptions & { name?: string }): Promise<{ backup: Backup; removed: string[] }>
  /** Newest first. */
  list(): Promise<Backup[]>
  /** One file, a tar archive. Whoever stops reading destroys the stream. */
  read(name: string): Promise<Readable>
  remove(name: string): Promise<void>
}
