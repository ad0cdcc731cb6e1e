/** bfloat16 is the upper half of a float32. Fills and returns `floats`. */
export function bfloat16ToFloat32(words: Uint16Array, floats = new Float32Array(words.length)): Float32Array {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length)
  for (let i = 0; i < words.length; i++) bits[i] = words[i]! << 16
  return floats
}

/** The real number of every binary16 word. */
let float16Values: Float32Array | undefined

/** IEEE 754 binary16 to binary32: exact. Fills and returns `floats`. */
export function float16ToFloat32(words: Uint16Array, floats = new Float32Array(words.length)): Float32Array {
  float16Values ??= Float32Array.from({ length: 0x10000 }, (_, word) => decodeFloat16(word))
  for (let i = 0; i < words.length; i++) floats[i] = float16Values[words[i]!]!
  return floats
}

function decodeFloat16(word: number): number {
  const sign = word & 0x8000 ? -1 : 1
  const exponent = (word >> 10) & 0x1f
  const fraction = word & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** The largest finite binary16. */
const FLOAT16_MAX = 65_504
/** Its bits in binary32, and those of 2^-14, the smallest normal binary16. */
const LARGEST = 0x477fe000
const NORMAL_MIN = 0x38800000

const scratch = new Float32Array(1)
const scratchBits = new Uint32Array(scratch.buffer)

/** Binary32 to binary16, rounded to nearest even; what is too large becomes the largest finite number. */
export function float32ToFloat16(floats: Float32Array): Uint16Array {
  const words = new Uint16Array(floats.length)
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length)
  for (let i = 0; i < floats.length; i++) {
    const word = bits[i]!
    const magnitude = word & 0x7fffffff
    if (magnitude >= NORMAL_MIN && magnitude <= LARGEST) {
      words[i] = ((word >>> 16) & 0x8000) | roundedNormal(magnitude)
      continue
    }
    scratch[0] = Math.min(FLOAT16_MAX, Math.max(floats[i]!, -FLOAT16_MAX))
    words[i] = encodeFloat16(scratchBits[0]!)
  }
  return words
}

function encodeFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude < NORMAL_MIN) {
    // Below 2^-14 the result is subnormal: count in units of 2^-24, ties to even.
    const units = float32FromBits(magnitude) * 2 ** 24
    const floor = Math.floor(units)
    const rest = units - floor
    return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor)
  }
  return sign | roundedNormal(magnitude)
}

/** A binary32 magnitude from 2^-14 on, as a binary16 one. */
function roundedNormal(magnitude: number): number {
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
  return (rounded - 0x38000000) >>> 13
}

function float32FromBits(bits: number): number {
  scratchBits[0] = bits
  return scratch[0]!
}
