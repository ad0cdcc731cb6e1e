import type { Quantised } from './quantised-bands.ts'

/** How weights become small integers: each run of `blockSize` inputs of an output has a scale of its own. */
export interface BlockFormat {
  bits: 4 | 8
  /** A power of two from 16, as MatMulNBits wants it. */
  blockSize: number
}

/** Blocks in a row; the last one may be short. */
export function blocksOf(width: number, { blockSize }: BlockFormat): number {
  return Math.ceil(width / blockSize)
}

/**
 * Parts of the step that spans a block's largest weight, tried in turn. Fewer steps lie unused when a lone peak is
 * clipped; eight bits have steps enough.
 */
const SHRINKS: Record<BlockFormat['bits'], readonly number[]> = {
  4: [1, 0.94, 0.88, 0.82, 0.76],
  8: [1],
}

/**
 * Quantises rows of `width` weights by blocks, symmetric about the middle of the unsigned range (the operator's zero
 * point where none is given). The weight of largest magnitude takes the one step that the range has more on the
 * negative side, so no step is wasted; of several step sizes the one with the least squared error is kept.
 * @returns values [rows, blocks, blockSize * bits / 8], of two 4-bit numbers in a byte the first is the low one;
 *   scales [rows, blocks]
 */
export function quantiseBlocks(
  matrix: Float32Array,
  width: number,
  format: BlockFormat,
): Quantised<Uint8Array> {
  const rows = matrix.length / width
  const blocks = blocksOf(width, format)
  const bytes = (format.blockSize * format.bits) / 8
  const values = new Uint8Array(rows * blocks * bytes)
  const scales = new Float32Array(rows * blocks)
  const steps = new Uint8Array(format.blockSize)
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const start = row * width + block * format.blockSize
      const end = Math.min(start + format.blockSize, (row + 1) * width)
      const index = row * blocks + block
      const scale = bestScale(matrix, start, end, format.bits)
      scales[index] = scale
      fillSteps(steps, matrix, start, end, scale, 1 << (format.bits - 1))
      pack(values, index * bytes, steps, format.bits)
    }
  }
  return { values, scales }
}

function bestScale(matrix: Float32Array, start: number, end: number, bits: BlockFormat['bits']): number {
  let peak = 0
  let largest = 0
  for (let i = start; i < end; i++) {
    const value = matrix[i]!
    const size = value < 0 ? -value : value
    if (size > largest) {
      largest = size
      peak = value
    }
  }
  // A block of zeros has no scale of its own; any will do.
  if (peak === 0) return 1
  const zero = 1 << (bits - 1)
  let best = Math.fround(-peak / zero)
  let least = Number.POSITIVE_INFINITY
  const candidates = SHRINKS[bits]
  if (candidates.length === 1) return best
  for (const shrink of candidates) {
    const scale = Math.fround((-peak / zero) * shrink)
    const error = squaredError(matrix, start, end, scale, zero)
    if (error < least) {
      least = error
      best = scale
    }
  }
  return best
}

/** Added and taken away again, it rounds a double of moderate size to the nearest whole number, ties to even. */
const ROUNDER = 2 ** 52 + 2 ** 51

function squaredError(matrix: Float32Array, start: number, end: number, scale: number, zero: number): number {
  const inverse = 1 / scale
  let error = 0
  for (let i = start; i < end; i++) {
    const value = matrix[i]!
    let step = value * inverse + ROUNDER - ROUNDER
    if (step > zero - 1) step = zero - 1
    else if (step < -zero) step = -zero
    const missed = value - step * scale
    error += missed * missed
  }
  return error
}

/** The block's steps as unsigned numbers; what lies past a short block's end stands for 0. */
function fillSteps(
  steps: Uint8Array,
  matrix: Float32Array,
  start: number,
  end: number,
  scale: number,
  zero: number,
): void {
  const inverse = 1 / scale
  for (let i = start; i < end; i++) {
    let step = matrix[i]! * inverse + ROUNDER - ROUNDER
    if (step > zero - 1) step = zero - 1
    else if (step < -zero) step = -zero
    steps[i - start] = step + zero
  }
  for (let i = end - start; i < steps.length; i++) steps[i] = zero
}

function pack(values: Uint8Array, at: number, steps: Uint8Array, bits: BlockFormat['bits']): void {
  if (bits === 8) {
    for (let i = 0; i < steps.length; i++) values[at + i] = steps[i]!
    return
  }
  for (let i = 0; i < steps.length; i += 2) values[at + (i >> 1)] = steps[i]! | (steps[i + 1]! << 4)
}
