import { compareCodePoints } from '../../order.ts'
import type { Damages } from '../integrity/damages.ts'
import { examineDocument } from '../integrity/examine.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import type { Problem, RowReader } from './checked-rows.ts'
import type { PassageRow } from './checksum.ts'
import { isDamage } from './connection.ts'

const CHUNK = 1024
const MISSING: Problem = 'its row is missing'
/** Stored vectors have unit length to within rounding. */
const NORM_TOLERANCE = 1e-3

/**
 * All live vectors from the database into memory, those of damaged documents left out: each passage is checked against
 * its checksum, and each document for its passages.
 *
 * @returns whether the index on id leads to every document that the other tables have
 */
export function loadVectors(table: VectorTable, rows: RowReader, damages: Damages): boolean {
  const bad = loadPassages(table, rows)
  for (const { document, problem } of ownersOf(bad, table, rows)) damages.found(document, problem)
  return checkDocuments(table, rows, damages)
}

/**
 * Brings the vectors in step with a database that was rebuilt: documents that only the damaged one could not find are
 * there again.
 *
 * @returns labels that were added
 */
export function reloadVectors(table: VectorTable, rows: RowReader): number[] {
  const added: number[] = []
  for (const key of rows.keys(() => {})) {
    if (table.has(key)) continue
    const found = examineDocument(rows, key, table.dimensions)
    if ('problem' in found) continue
    for (const passage of found.passages) {
      const vector = vectorOf(passage, table.dimensions)
      if (!vector) break
      table.add(passage.label, key, vector)
      added.push(passage.label)
    }
  }
  return added
}

/** By label: what is wrong with a passage, its document where that can be read, and the document before it. */
type Bad = Map<number, { problem: Problem; document: number | undefined; before: number }>

/** @returns passages that are not whole, by label */
function loadPassages(table: VectorTable, rows: RowReader): Bad {
  const bad: Bad = new Map()
  let document = 0
  let ordinal = 0
  const found = (problem: Problem, label: number, own: number | undefined) =>
    bad.set(label, { problem, document: own, before: document })
  for (const row of rows.passages(found)) {
    if (row.document !== document) ordinal = 0
    document = row.document
    const vector = vectorOf(row, table.dimensions)
    if (!vector) found('a passage does not fit its checksum', row.label, document)
    else if (row.ordinal !== ordinal || row.label !== document + ordinal) {
      found('a passage is missing', row.label, document)
    } else {
      table.add(row.label, document, vector)
      ordinal++
    }
  }
  return bad
}

function vectorOf({ vector }: PassageRow, dimensions: number): Float32Array | undefined {
  if (vector.length !== dimensions * 4) return undefined
  const copy = new Float32Array(dimensions)
  Buffer.from(copy.buffer).set(vector)
  let sum = 0
  for (const value of copy) sum += value ** 2
  return Math.abs(sum - 1) <= NORM_TOLERANCE ? copy : undefined
}

/** Documents that lack one of these passages. A damaged row may name another document than its own. */
function* ownersOf(bad: Bad, table: VectorTable, rows: RowReader) {
  for (const [label, { problem, document, before }] of bad) {
    if (document === label && !rows.document(label)) yield { document, problem: MISSING }
    for (const candidate of new Set([document, label, before])) {
      if (candidate === undefined) continue
      const found = rows.document(candidate)
      if (!found || !('row' in found) || table.labelsOf(candidate).length === found.row.passages) continue
      yield { document: candidate, problem }
    }
  }
}

function checkDocuments(table: VectorTable, rows: RowReader, damages: Damages): boolean {
  let indexed = 0
  let seen = 0
  const whole = () => indexed === checkEach(table, rows, damages)
  try {
    // The index on id holds all keys: reading it does not touch the texts.
    for (let last = ''; ; ) {
      const chunk = rows.idsAfter(last, CHUNK)
      for (const { document } of chunk) {
        indexed++
        if (table.has(document)) seen++
        else damages.found(document, 'a passage is missing')
      }
      const end = chunk.at(-1)?.id
      if (end === undefined) return seen === table.documents || whole()
      if (typeof end !== 'string' || compareCodePoints(end, last) <= 0) break
      last = end
    }
  } catch (error) {
    if (!isDamage(error)) throw error
  }
  checkEach(table, rows, damages)
  return false
}

/** Where the index on id does not agree with the vectors. @returns how many documents have a row */
function checkEach(table: VectorTable, rows: RowReader, damages: Damages): number {
  const known = new Set<number>()
  const unreadable = (key: number) => {
    if (table.has(key)) damages.found(key, 'its row cannot be read')
  }
  for (const key of rows.keys(unreadable)) {
    known.add(key)
    if (!table.has(key)) damages.found(key, 'a passage is missing')
  }
  for (const label of table.labels()) {
    const slot = table.slot(label)
    if (slot !== undefined && table.document(slot) === label && !known.has(label)) {
      damages.found(label, MISSING)
    }
  }
  return known.size
}
