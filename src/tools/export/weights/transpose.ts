/** Side of the square tiles copied at once: both sides of a tile stay in the first-level cache. */
const TILE = 32
/** Columns turned at a time: a whole number of tiles, so that each piece is large enough to write at once. */
const BAND_COLUMNS = 8 * TILE

type Numbers = Float32Array | Uint16Array | Int8Array

/** [rows, columns] to [columns, rows], row-major. */
export function transpose<Matrix extends Numbers>(matrix: Matrix, rows: number, columns: number): Matrix {
  const turned = matrix.slice() as Matrix
  copyTiles(matrix, turned, { rows, columns, from: 0, to: columns })
  return turned
}

/** The same in bands of whole rows of the result. A band is valid until the next one is asked for. */
export function* transposedBands<Matrix extends Numbers>(
  matrix: Matrix,
  rows: number,
  columns: number,
): Generator<Matrix> {
  const band = matrix.slice(0, rows * BAND_COLUMNS) as Matrix
  for (let from = 0; from < columns; from += BAND_COLUMNS) {
    const to = Math.min(columns, from + BAND_COLUMNS)
    copyTiles(matrix, band, { rows, columns, from, to })
    yield band.subarray(0, rows * (to - from)) as Matrix
  }
}

/** Columns `from` to `to` of a matrix, as rows of `turned`. */
function copyTiles(
  matrix: Numbers,
  turned: Numbers,
  { rows, columns, from, to }: { rows: number; columns: number; from: number; to: number },
): void {
  for (let top = 0; top < rows; top += TILE) {
    const bottom = Math.min(top + TILE, rows)
    for (let left = from; left < to; left += TILE) {
      const right = Math.min(left + TILE, to)
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++)
          turned[(column - from) * rows + row] = matrix[row * columns + column]!
      }
    }
  }
}
