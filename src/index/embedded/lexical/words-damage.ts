import { isDamage, isRefused } from '../database/connection.ts'

/** The index of words cannot be used as it is; the documents themselves are not concerned. */
export class WordsDamaged extends Error {
  constructor(cause: unknown) {
    super('The index of words is damaged.', { cause })
  }
}

/**
 * Reads or writes the index of words. What SQLite then says of damage is about that index: also that it has no such
 * table, or cannot read how it is made.
 *
 * @throws WordsDamaged, and what else `work` throws
 */
export function inWords<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw isDamage(error) || isRefused(error) ? new WordsDamaged(error) : error
  }
}

/** Whether something was thrown because of the index of words: by its statements, or when a commit wrote it. */
export function isWordsDamage(error: unknown): boolean {
  return error instanceof WordsDamaged || (error as { code?: unknown }).code === 'SQLITE_CORRUPT_VTAB'
}

/** Whether a complaint of SQLite's check of a file is about the index of words. */
export function isAboutWords(complaint: string): boolean {
  return /fts5|vtable constructor failed: words|main\.words/i.test(complaint)
}
