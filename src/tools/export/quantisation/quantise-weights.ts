import type { Quantised } from './quantised-bands.ts'

/**
 * Steps either side of zero: seven bits. Unsigned 8-bit activations times these, added in pairs, fit the 16 bits in
 * which processors without VNNI add them up, so sums are exact and the same on every CPU.
 */
export const WEIGHT_LEVELS = 63
/** Steps either side of zero where weights become floats again before they are used: nothing can saturate. */
const TABLE_LEVELS = 127

/** Symmetric quantisation with one scale a row; values are [rows, columns], row-major. */
function quantiseRows(matrix: Float32Array, columns: number, levels: number): Quantised<Int8Array> {
  const scales = new Float32Array(matrix.length / columns)
  const values = new Int8Array(matrix.length)
  for (let row = 0; row < scales.length; row++) {
    const start = row * columns
    let peak = 0
    for (let c = 0; c < columns; c++) peak = Math.max(peak, Math.abs(matrix[start + c]!))
    // A row of zeros has no scale of its own; any will do.
    const scale = Math.fround(peak / levels) || 1
    scales[row] = scale
    for (let c = 0; c < columns; c++) values[start + c] = Math.round(matrix[start + c]! / scale)
  }
  return { values, scales }
}

/** A projection's [output, input] weights, one scale an output. */
export function quantiseProjection(matrix: Float32Array, inputs: number): Quantised<Int8Array> {
  return quantiseRows(matrix, inputs, WEIGHT_LEVELS)
}

/** An embedding table, one scale a token, or the [output, input] weights of a float site, one scale an output. */
export function quantiseTable(table: Float32Array, width: number): Quantised<Int8Array> {
  return quantiseRows(table, width, TABLE_LEVELS)
}
