/** Numbers kept of one site's activations: at most 4 MB. */
const VALUES_MAX = 1 << 20
const ROWS_MAX = 384

/** What is remembered of the activations at one site: each channel's peak, and an even sample of rows. */
export class SiteStatistics {
  /** Largest magnitude by channel. */
  readonly peaks: Float32Array
  readonly #kept: Float32Array
  readonly #rowsMax: number
  #seen = 0
  #random = 1

  constructor(width: number) {
    this.peaks = new Float32Array(width)
    this.#rowsMax = Math.max(16, Math.min(ROWS_MAX, Math.floor(VALUES_MAX / width)))
    this.#kept = new Float32Array(this.#rowsMax * width)
  }

  /** `values`: [rows, width], row-major. */
  add(values: Float32Array): void {
    const width = this.peaks.length
    for (let start = 0; start < values.length; start += width) {
      const row = values.subarray(start, start + width)
      for (let c = 0; c < width; c++) this.peaks[c] = Math.max(this.peaks[c]!, Math.abs(row[c]!))
      const place = this.#seen < this.#rowsMax ? this.#seen : this.#below(this.#seen + 1)
      if (place < this.#rowsMax) this.#kept.set(row, place * width)
      this.#seen++
    }
  }

  /** The sampled rows, [n, width]. */
  get rows(): Float32Array {
    return this.#kept.subarray(0, Math.min(this.#seen, this.#rowsMax) * this.peaks.length)
  }

  /** Reservoir sampling must be the same in every export: a fixed generator (Lehmer, modulus 2^31 - 1). */
  #below(limit: number): number {
    this.#random = (this.#random * 48_271) % 2_147_483_647
    return this.#random % limit
  }
}
