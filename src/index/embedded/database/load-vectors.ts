import { VectorTable } from '../vectors/vector-table.ts'
import type { Connection } from './connection.ts'
import { damaged } from './open-files.ts'
import { rowReader } from './rows.ts'

const CHUNK = 1024
/** Stored vectors have unit length to within rounding; one that has not was damaged on the disk. */
const NORM_TOLERANCE = 1e-3

/**
 * All live vectors from the database into memory, each checked for length and norm, and each document for its first
 * passage.
 *
 * @throws ServiceError STORE_UNUSABLE
 */
export function loadVectors(db: Connection, folder: string, dimensions: number): VectorTable {
  const table = new VectorTable(dimensions)
  const rows = rowReader(db)
  let last = 0
  for (;;) {
    const chunk = rows.vectorsAfter(last, CHUNK)
    for (const { label, document, vector } of chunk) {
      if (!Buffer.isBuffer(vector) || vector.length !== dimensions * 4) {
        throw damaged(folder, `vector ${label} does not hold ${dimensions} numbers`)
      }
      const copy = new Float32Array(dimensions)
      Buffer.from(copy.buffer).set(vector)
      let sum = 0
      for (let i = 0; i < dimensions; i++) sum += copy[i]! ** 2
      if (!(Math.abs(sum - 1) <= NORM_TOLERANCE)) {
        throw damaged(folder, `vector ${label} is not of unit length`)
      }
      table.add(label, document, copy)
    }
    const end = chunk.at(-1)
    if (!end) break
    last = end.label
  }
  // The index on id holds all keys: reading it does not touch the texts.
  let documents = 0
  for (const key of db.prepare('SELECT document FROM documents ORDER BY id').pluck().iterate()) {
    documents++
    if (!table.has(key as number)) throw damaged(folder, `document ${key} has no vector`)
  }
  if (documents !== table.documents) {
    throw damaged(folder, `${table.documents - documents} vectors have no document`)
  }
  return table
}
