import { transpose } from '../weights/transpose.ts'

interface LowRank {
  /** [rank, columns] and [rows, rank]; for `turned`, [rank, rows] and [columns, rank]. */
  a: Float32Array
  b: Float32Array
  rank: number
  scaling: number
  /** The update is (B A) transposed: an embedding table's. */
  turned: boolean
}

/**
 * Adds scaling * B A to rows of a matrix, in place. `turned` takes the rows' share of the rank from A and the columns'
 * from B.
 * @param band whole rows, [n, columns], the matrix's rows `from` on
 * @returns n
 */
export function addProduct(band: Float32Array, from: number, update: LowRank): number {
  const { rank, scaling } = update
  const { byRow, byColumn } = factors(update)
  const columns = byColumn.length / rank
  const rows = band.length / columns
  for (let i = 0; i < rows; i++) {
    const row = band.subarray(i * columns, (i + 1) * columns)
    for (let k = 0; k < rank; k++) {
      const weight = scaling * byRow(from + i, k)
      const start = k * columns
      for (let c = 0; c < columns; c++) row[c] = row[c]! + weight * byColumn[start + c]!
    }
  }
  return rows
}

/** What each row takes of a component, and what each column takes of it, [rank, columns]. */
function factors({ a, b, rank, turned }: LowRank): {
  byRow: (row: number, component: number) => number
  byColumn: Float32Array
} {
  if (!turned) return { byRow: (row, k) => b[row * rank + k]!, byColumn: a }
  const rows = a.length / rank
  return { byRow: (row, k) => a[k * rows + row]!, byColumn: transpose(b, b.length / rank, rank) }
}
