/** Gives a checkpoint's tensors one at a time. Wrappers may change what passes through. */
export interface WeightSource {
  /** The tensor as float32, row-major, in the checkpoint's own orientation; the caller may change it. */
  read(name: string): Promise<Float32Array>
  /**
   * The same numbers in order, in bands of whole rows (a row is everything below the first dimension), so that a
   * large tensor is never in memory as a whole. A band is valid until the next one is asked for; the caller may
   * change it.
   */
  bands(name: string): AsyncIterable<Float32Array>
}

/** Numbers in a band of rows, at most, unless a single row has more: 16 MiB of float32. */
export const BAND_NUMBERS = 4 * 1024 * 1024
