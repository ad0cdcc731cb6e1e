import type { Connection, Statement } from './connection.ts'

/** How rows come back: as objects, as the value of the first column, or as lists of values. */
type Shape = 'objects' | 'values' | 'lists'

/**
 * A connection whose place another can take, when the file behind it has been rebuilt. Statements are asked for by
 * their text and prepared once for each connection.
 */
export class LiveConnection {
  #db: Connection
  readonly #statements = new Map<string, Statement>()

  constructor(db: Connection) {
    this.#db = db
  }

  get current(): Connection {
    return this.#db
  }

  prepare(sql: string, shape: Shape = 'objects'): Statement {
    const key = `${shape} ${sql}`
    const known = this.#statements.get(key)
    if (known) return known
    const statement = this.#db.prepare<unknown[]>(sql)
    if (shape === 'values') statement.pluck()
    if (shape === 'lists') statement.raw()
    this.#statements.set(key, statement)
    return statement
  }

  /**
   * For statements that run for every row: what it returns gives the statement of the current connection, without
   * looking for its text.
   */
  keep(sql: string, shape: Shape = 'objects'): () => Statement {
    let db: Connection | undefined
    let statement: Statement
    return () => {
      if (db !== this.#db) {
        statement = this.prepare(sql, shape)
        db = this.#db
      }
      return statement
    }
  }

  replace(db: Connection): void {
    this.#statements.clear()
    this.#db = db
  }
}
