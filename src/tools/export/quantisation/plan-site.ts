import type { SiteStatistics } from '../calibration/site-statistics.ts'
import type { SitePlan } from './plan.ts'
import { WEIGHT_LEVELS } from './quantise-weights.ts'

/** The linear maps a site's activations enter, [output, input] each. */
interface SiteWeights {
  matrices: Float32Array[]
  /** Input width. */
  width: number
  /** Channels with the same number must share a smoothing factor; absent when each has its own. */
  tied?: Uint32Array
}

/** Shares of the difficulty moved from activations to weights, tried in turn; none moves nothing. */
const SHARES = [undefined, 0.2, 0.35, 0.5, 0.65, 0.8]
/** Parts of the observed range that are kept, tried in turn: clipping a rare peak makes every step finer. */
const CLIPS = [1, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]
/** Quantised activations may carry this part of a row's energy as error; beyond it the site stays in float. */
const ROW_ERROR_MAX = 0.01

/**
 * Picks smoothing and range for one site so that the expected error of its outputs is smallest on the sampled rows.
 * Smoothing: SmoothQuant (arXiv:2211.10438), s = max|x|^a / max|w|^(1-a), folded into the weights on both sides, so
 * that the model's operators stay as they are.
 */
export function planSite(statistics: SiteStatistics, weights: SiteWeights): SitePlan {
  const activationPeaks = tie(statistics.peaks, weights.tied)
  const weightPeaks = tie(columnPeaks(weights), weights.tied)
  let best: { plan: SitePlan; error: number } | undefined
  for (const share of SHARES) {
    const smoothing = smoothingFactors(activationPeaks, weightPeaks, share)
    const rows = statistics.rows.map((value, i) => value / smoothing[i % weights.width]!)
    const energies = columnEnergies(weights, smoothing)
    const weightError = weightNoise(weights, smoothing, rows)
    const [low, high] = bounds(rows)
    for (const clip of CLIPS) {
      const range = quantisationRange(low * clip, high * clip)
      const { total, perRow } = activationError(rows, energies, range)
      const error = total + weightError
      if (best && error >= best.error) continue
      best = { error, plan: { ...range, smoothing, float: perRow > ROW_ERROR_MAX } }
    }
  }
  return best!.plan
}

function smoothingFactors(
  activations: Float32Array,
  weights: Float32Array,
  share: number | undefined,
): Float32Array {
  const factors = new Float32Array(activations.length).fill(1)
  if (share === undefined) return factors
  let logs = 0
  for (let c = 0; c < factors.length; c++) {
    const [x, w] = [activations[c]!, weights[c]!]
    if (x > 0 && w > 0) factors[c] = x ** share / w ** (1 - share)
    logs += Math.log(factors[c]!)
  }
  // Around 1 on the whole, so that tensors keep their magnitude.
  const middle = Math.exp(logs / factors.length)
  return factors.map((factor) => Math.min(1e4, Math.max(1e-4, factor / middle)))
}

function quantisationRange(low: number, high: number): { scale: number; zeroPoint: number } {
  const [bottom, top] = [Math.min(low, 0), Math.max(high, 0)]
  const scale = (top - bottom) / 255 || 1
  return { scale: Math.fround(scale), zeroPoint: Math.min(255, Math.max(0, Math.round(-bottom / scale))) }
}

/** Squared error that reaches the outputs, summed over rows; and its mean part of a row's own energy. */
function activationError(
  rows: Float32Array,
  energies: Float32Array,
  { scale, zeroPoint }: { scale: number; zeroPoint: number },
): { total: number; perRow: number } {
  const width = energies.length
  let total = 0
  let relative = 0
  for (let start = 0; start < rows.length; start += width) {
    let error = 0
    let energy = 0
    for (let c = 0; c < width; c++) {
      const value = rows[start + c]!
      const step = Math.min(255, Math.max(0, Math.round(value / scale) + zeroPoint))
      const missed = value - (step - zeroPoint) * scale
      error += missed * missed * energies[c]!
      energy += value * value * energies[c]!
    }
    total += error
    if (energy > 0) relative += error / energy
  }
  return { total, perRow: (relative * width) / rows.length }
}

/** Expected squared error at the outputs from rounding the weights, summed over rows. */
function weightNoise({ matrices, width }: SiteWeights, smoothing: Float32Array, rows: Float32Array): number {
  let variance = 0
  for (const matrix of matrices) {
    for (let start = 0; start < matrix.length; start += width) {
      let peak = 0
      for (let c = 0; c < width; c++) peak = Math.max(peak, Math.abs(matrix[start + c]! * smoothing[c]!))
      variance += (peak / WEIGHT_LEVELS) ** 2 / 12
    }
  }
  let energy = 0
  for (const value of rows) energy += value * value
  return variance * energy
}

function columnEnergies({ matrices, width }: SiteWeights, smoothing: Float32Array): Float32Array {
  const energies = new Float32Array(width)
  for (const matrix of matrices) {
    for (let i = 0; i < matrix.length; i++) energies[i % width]! += (matrix[i]! * smoothing[i % width]!) ** 2
  }
  return energies
}

function columnPeaks({ matrices, width }: SiteWeights): Float32Array {
  const peaks = new Float32Array(width)
  for (const matrix of matrices) {
    for (let i = 0; i < matrix.length; i++)
      peaks[i % width] = Math.max(peaks[i % width]!, Math.abs(matrix[i]!))
  }
  return peaks
}

/** Raises each channel's value to the largest of those it is tied to. */
function tie(values: Float32Array, tied: Uint32Array | undefined): Float32Array {
  if (!tied) return values
  const largest = new Map<number, number>()
  values.forEach((value, c) => {
    largest.set(tied[c]!, Math.max(value, largest.get(tied[c]!) ?? 0))
  })
  return values.map((_, c) => largest.get(tied[c]!)!)
}

function bounds(values: Float32Array): [number, number] {
  let [low, high] = [0, 0]
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return [low, high]
}
