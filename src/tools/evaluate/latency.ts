/** Milliseconds that so many of a hundred requests stay within. */
export interface Percentiles {
  p50: number
  p95: number
  p99: number
}

/** Nearest-rank percentiles of at least one value. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = Float64Array.from(values).sort()
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
