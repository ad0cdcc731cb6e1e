/** Side of the square tiles copied at once: both sides of a tile stay in the first-level cache. */
const TILE = 32

/** [rows, columns] to [columns, rows], row-major. */
export function transpose(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(matrix.length)
  copyTiles(matrix, turned, rows, columns)
  return turned
}

/** As `transpose`, for quantised weights. */
export function transposeInt8(matrix: Int8Array, rows: number, columns: number): Int8Array {
  const turned = new Int8Array(matrix.length)
  copyTiles(matrix, turned, rows, columns)
  return turned
}

function copyTiles<Numbers extends Float32Array | Int8Array>(
  from: Numbers,
  to: Numbers,
  rows: number,
  columns: number,
): void {
  for (let top = 0; top < rows; top += TILE) {
    const bottom = Math.min(top + TILE, rows)
    for (let left = 0; left < columns; left += TILE) {
      const right = Math.min(left + TILE, columns)
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++)
          to[column * rows + row] = from[row * columns + column]!
      }
    }
  }
}
