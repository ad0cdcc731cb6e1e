import { type DocumentRow, documentChecksum, type PassageRow, passageChecksum } from './checksum.ts'
import { isDamage, readable } from './connection.ts'
import type { LiveConnection } from './live-connection.ts'
import { LABEL_MAX } from './rows.ts'

/** A row that was read: whole, or what is wrong with it; undefined where there is none. */
export type Checked<Row> = { row: Row } | { problem: Problem } | undefined

/** What can be wrong with a stored document, for people. */
export type Problem =
  | 'its row cannot be read'
  | 'its row does not fit its checksum'
  | 'its row is missing'
  | 'a passage cannot be read'
  | 'a passage does not fit its checksum'
  | 'a passage is missing'

/** Rows read in one go. */
const CHUNK = 1024

export type RowReader = ReturnType<typeof rowReader>

/** Reads what is committed, and never gives a row that does not fit its checksum. */
export function rowReader(db: LiveConnection) {
  const keyOfId = db.keep('SELECT document FROM documents WHERE id = ?', 'values')
  const idOf = db.keep('SELECT id FROM documents WHERE document = ?', 'values')
  const documentOf = db.keep('SELECT * FROM documents WHERE document = ?')
  const passageOf = db.keep('SELECT * FROM passages WHERE label = ?')

  return {
    /** @throws SqliteError where the index on id cannot be read */
    keyOf: (id: string) => keyOfId().get(id) as number | undefined,

    /** For putting answers in order: what is answered is then read by `document`. */
    uncheckedId: (document: number) => readable(() => idOf().get(document) as string | undefined),

    document(key: number): Checked<DocumentRow> {
      return checked(
        () => documentOf().get(key) as Summed<DocumentRow>,
        (row) => documentChecksum(row),
        ['its row cannot be read', 'its row does not fit its checksum'],
      )
    },

    passage(label: number): Checked<PassageRow> {
      return checked(() => passageOf().get(label) as Summed<PassageRow>, passageSum, [
        'a passage cannot be read',
        'a passage does not fit its checksum',
      ])
    },

    /** Walks the index on id alone; "" comes before every id. */
    idsAfter: (id: string, limit: number) =>
      db.prepare('SELECT id, document FROM documents WHERE id > ? ORDER BY id LIMIT ?').all(id, limit) as {
        id: string
        document: number
      }[],

    /**
     * All passages in the order of their labels, also past pages that cannot be read.
     *
     * @param problem is called for every one that is not whole, by its label and, where it can be read, its document
     */
    *passages(
      problem: (what: Problem, label: number, document: number | undefined) => void,
    ): Generator<PassageRow> {
      const fetch = (from: number, to: number) =>
        db
          .prepare('SELECT * FROM passages WHERE label BETWEEN ? AND ? ORDER BY label LIMIT ?')
          .all(from, to, CHUNK) as NonNullable<Summed<PassageRow>>[]
      const unreadable = (label: number) => problem('a passage cannot be read', label, undefined)
      for (const row of walk(fetch, ({ label }) => label, lastLabel(db), unreadable)) {
        if (fits(row, passageSum)) yield row
        else problem('a passage does not fit its checksum', row.label, row.document)
      }
    },

    /** Keys of all documents in order, also past pages that cannot be read. @param unreadable is called for those */
    *keys(unreadable: (key: number) => void): Generator<number> {
      const fetch = (from: number, to: number) =>
        db
          .prepare(
            'SELECT document FROM documents WHERE document BETWEEN ? AND ? ORDER BY document LIMIT ?',
            'values',
          )
          .all(from, to, CHUNK) as number[]
      yield* walk(fetch, (key) => key, lastLabel(db), unreadable)
    },
  }
}

type Summed<Row> = (Row & { checksum: unknown }) | undefined

function passageSum(row: PassageRow): Buffer | undefined {
  return Buffer.isBuffer(row.vector) ? passageChecksum(row) : undefined
}

function fits<Row>(row: Row & { checksum: unknown }, sum: (row: Row) => Buffer | undefined): boolean {
  return Buffer.isBuffer(row.checksum) && sum(row)?.equals(row.checksum) === true
}

function checked<Row>(
  read: () => Summed<Row>,
  sum: (row: Row) => Buffer | undefined,
  [unreadable, different]: [Problem, Problem],
): Checked<Row> {
  try {
    const row = read()
    if (!row) return undefined
    return fits(row, sum) ? { row } : { problem: different }
  } catch (error) {
    if (!isDamage(error)) throw error
    return { problem: unreadable }
  }
}

/** The highest label that was ever given, by SQLite's own note of it; undefined where that cannot be read. */
export function lastGiven(db: LiveConnection): number | undefined {
  const sql = "SELECT seq FROM sqlite_sequence WHERE name = 'passages'"
  const last = readable(() => db.prepare(sql, 'values').get() ?? 0)
  return typeof last === 'number' && last <= LABEL_MAX ? last : undefined
}

/** No label is above it, as far as that can be read. */
function lastLabel(db: LiveConnection): number {
  const highest = readable(() => db.prepare('SELECT max(label) FROM passages', 'values').get() ?? 0)
  const known = [lastGiven(db), highest].filter((label) => typeof label === 'number')
  return known.length > 0 ? Math.min(LABEL_MAX, Math.max(...known)) : LABEL_MAX
}

/** Rows that may be found unreadable one by one; what is left of a range beyond that counts as one. */
const UNREADABLE_MAX = 1_000_000

/** Rows of a table by their whole-number keys: where a range cannot be read, its halves are tried. */
function* walk<Row>(
  fetch: (from: number, to: number) => Row[],
  keyOf: (row: Row) => number,
  last: number,
  unreadable: (key: number) => void,
): Generator<Row> {
  let left = UNREADABLE_MAX
  const ranges: [number, number][] = [[1, last]]
  for (let range = ranges.pop(); range; range = ranges.pop()) {
    const [from, to] = range
    if (from > to) continue
    const rows = readable(() => fetch(from, to))
    if (rows) {
      let end = from - 1
      for (const row of rows) {
        // A damaged page may give them in any order.
        if (!(keyOf(row) > end)) continue
        end = keyOf(row)
        yield row
      }
      if (rows.length > 0) ranges.push([Math.max(from, end + 1), to])
    } else if (from === to || left === 0) {
      left = Math.max(0, left - 1)
      unreadable(from)
    } else {
      const middle = Math.floor((from + to) / 2)
      ranges.push([middle + 1, to], [from, middle])
    }
  }
}
