/** Gives a checkpoint's tensors one at a time. Wrappers may rescale what passes through. */
export interface WeightSource {
  /** The tensor as float32, row-major, in the checkpoint's own orientation; the caller may change it. */
  read(name: string): Promise<Float32Array>
}
