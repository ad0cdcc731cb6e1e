/**
 * Cosine similarity of two vectors of unit length: their dot product, summed in double precision and kept within
 * [-1, 1]. Every index scores with this, so that a document scores the same whichever way it was found.
 *
 * @param rows vectors one after another; `b` begins at `offset`
 */
export function similarity(a: Float32Array, rows: Float32Array, offset = 0): number {
  const dimensions = a.length
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let i = 0
  for (const end = dimensions - 3; i < end; i += 4) {
    const j = offset + i
    s0 += a[i]! * rows[j]!
    s1 += a[i + 1]! * rows[j + 1]!
    s2 += a[i + 2]! * rows[j + 2]!
    s3 += a[i + 3]! * rows[j + 3]!
  }
  for (; i < dimensions; i++) s0 += a[i]! * rows[offset + i]!
  // Rounded to float32: the vectors hold no more, and equal vectors then tie whatever the order of the sum.
  const sum = Math.fround(s0 + s1 + s2 + s3)
  return Math.max(-1, Math.min(1, sum))
}
