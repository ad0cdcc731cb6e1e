/** How the activations of one site become 8-bit, and what is moved from them into the weights first. */
export interface SitePlan {
  /** Real value of one step. */
  scale: number
  /** The unsigned value that stands for 0. */
  zeroPoint: number
  /** Activations of channel c are divided by `smoothing[c]`, and the weights that meet them multiplied. */
  smoothing: Float32Array
  /** Left in floating point: no 8-bit range holds these activations well. */
  float: boolean
}

/** By site name. */
export type QuantisationPlan = ReadonlyMap<string, SitePlan>
