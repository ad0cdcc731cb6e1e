import type { LlamaConfig } from '../checkpoint/llama-config.ts'

interface RotaryTables {
  /** [positions, headSize / 2], row-major. */
  cos: Float32Array
  sin: Float32Array
}

/** cos and sin of every position times every frequency, computed in double precision and stored in single. */
export function rotaryTables(config: LlamaConfig, positions: number): RotaryTables {
  const frequencies = rotaryFrequencies(config)
  const half = frequencies.length
  const cos = new Float32Array(positions * half)
  const sin = new Float32Array(positions * half)
  for (let position = 0; position < positions; position++) {
    for (let i = 0; i < half; i++) {
      const angle = position * frequencies[i]!
      cos[position * half + i] = Math.cos(angle)
      sin[position * half + i] = Math.sin(angle)
    }
  }
  return { cos, sin }
}

/**
 * Radians per position, one frequency for each pair of a head's dimensions: theta^(-2i/d), as RoFormer
 * (arXiv:2104.09864) has it, then scaled.
 */
function rotaryFrequencies({ headSize, ropeTheta, ropeScaling }: LlamaConfig): number[] {
  const plain = Array.from({ length: headSize / 2 }, (_, i) => ropeTheta ** ((-2 * i) / headSize))
  if (ropeScaling.kind === 'default') return plain
  if (ropeScaling.kind === 'linear') return plain.map((frequency) => frequency / ropeScaling.factor)
  // Llama 3.1: long wavelengths are stretched by `factor`, short ones kept, those between are blended.
  const { factor, lowFactor, highFactor, originalPositions } = ropeScaling
  return plain.map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency
    if (wavelength < originalPositions / highFactor) return frequency
    if (wavelength > originalPositions / lowFactor) return frequency / factor
    const kept = (originalPositions / wavelength - lowFactor) / (highFactor - lowFactor)
    return (1 - kept) * (frequency / factor) + kept * frequency
  })
}
