export interface VectorDrift {
  against: 'fp32'
  vectors: number
  meanCosine: number
  worstCosine: number
}

/** Vectors of the same rows, unit length both. */
export function vectorDrift(
  vectors: readonly Float32Array[],
  reference: readonly Float32Array[],
): VectorDrift {
  let sum = 0
  let worst = 1
  for (const [row, a] of reference.entries()) {
    const b = vectors[row]!
    const cosine = a.reduce((dot, value, i) => dot + value * b[i]!, 0)
    sum += cosine
    worst = Math.min(worst, cosine)
  }
  const rounded = (value: number) => Number(value.toFixed(6))
  return {
    against: 'fp32',
    vectors: reference.length,
    meanCosine: rounded(sum / reference.length),
    worstCosine: rounded(worst),
  }
}
