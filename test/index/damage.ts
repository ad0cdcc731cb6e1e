import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Connection, connect } from '../../src/index/embedded/database/connection.ts'

const PAGE_BYTES = 8192

/** Changes rows in place, as damage of the disk does: without their checksums. */
export function damageRows(folder: string, sql: string): void {
  const db: Connection = connect(databaseOf(folder))
  try {
    db.pragma('ignore_check_constraints = ON')
    db.exec(sql)
  } finally {
    db.close()
  }
}

export function databaseOf(folder: string): string {
  return join(folder, 'store.sqlite')
}

/** Puts bytes in the place of as many others, wherever they are in a closed database. */
export function replaceBytes(folder: string, from: string, to: string): void {
  const bytes = readFileSync(databaseOf(folder))
  // Pages keep copies of rows that have moved.
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at)) bytes.write(to, at)
  writeFileSync(databaseOf(folder), bytes)
}

/** Overwrites the page of a closed database that holds some bytes. @returns its number, from 1 */
export function zeroPageWith(folder: string, needle: string | Buffer): number {
  const bytes = readFileSync(databaseOf(folder))
  const at = bytes.indexOf(needle)
  if (at < 0) throw new Error('the bytes are not in the database')
  return zeroPage(folder, 1 + Math.floor(at / PAGE_BYTES))
}

export function zeroPage(folder: string, page: number): number {
  const bytes = readFileSync(databaseOf(folder))
  bytes.fill(0, (page - 1) * PAGE_BYTES, page * PAGE_BYTES)
  writeFileSync(databaseOf(folder), bytes)
  return page
}

/** The first page of a table or index, by its name. */
export function rootPage(folder: string, name: string): number {
  const db = connect(databaseOf(folder), { readonly: true })
  try {
    return db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(name) as number
  } finally {
    db.close()
  }
}

/** Turns one bit of a closed file over. */
export function flipBit(file: string, bit: number): void {
  const bytes = readFileSync(file)
  const at = Math.floor(bit / 8)
  bytes[at] = bytes[at]! ^ (1 << (bit % 8))
  writeFileSync(file, bytes)
}
