/** How weights become small integers: each run of `blockSize` inputs of an output has a scale of its own. */
export interface BlockFormat {
  bits: 4 | 8
  /** A power of two from 16, as MatMulNBits wants it. */
  blockSize: number
}

export interface QuantisedBlocks {
  /** [rows, blocks, blockSize * bits / 8]; of two 4-bit numbers in a byte the first is the low one. */
  values: Uint8Array
  /** Real value of one step, [rows, blocks]. */
  scales: Float32Array
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
 */
export function quantiseBlocks(matrix: Float32Array, width: number, format: BlockFormat): QuantisedBlocks {
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
  for (let i = start; i < end; i++) if (Math.abs(matrix[i]!) > Math.abs(peak)) peak = matrix[i]!
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

function squaredError(matrix: Float32Array, start: number, end: number, scale: number, zero: number): number {
  const inverse = 1 / scale
  let error = 0
  for (let i = start; i < end; i++) {
    const value = matrix[i]!
    const step = Math.min(zero - 1, Math.max(-zero, Math.round(value * inverse)))
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
  steps.fill(zero)
  for (let i = start; i < end; i++) {
    const step = Math.round(matrix[i]! * inverse)
    steps[i - start] = Math.min(zero - 1, Math.max(-zero, step)) + zero
  }
}

function pack(values: Uint8Array, at: number, steps: Uint8Array, bits: BlockFormat['bits']): void {
  if (bits === 8) {
    values.set(steps, at)
    return
  }
  for (let i = 0; i < steps.length; i += 2) values[at + i / 2] = steps[i]! | (steps[i + 1]! << 4)
}
