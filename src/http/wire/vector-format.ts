import { Readable } from 'node:stream'

export const ENCODING_FORMATS = ['float', 'base64', 'int8'] as const
export type EncodingFormat = (typeof ENCODING_FORMATS)[number]

/** Numbers of one reply above which it is written row by row, so that no reply holds the event loop for long. */
const NUMBERS_AT_ONCE = 65_536

/** Largest value of an int8 component: -1..1 becomes -127..127. */
export const INT8_SCALE = 127

/**
 * A vector as JSON. `float`: eight decimals, which is float32's own resolution near 1 and moves a cosine by less
 * than 1e-6. `base64`: the float32 numbers, little-endian, bit for bit. `int8`: base64 of one signed byte a number;
 * divide by 127 to get it back, within 0.004.
 */
export function vectorJson(vector: Float32Array, format: EncodingFormat): string {
  if (format !== 'float') return `"${base64(vector, format)}"`
  let json = '['
  for (let i = 0; i < vector.length; i++) {
    if (i > 0) json += ','
    json += rounded(vector[i]!)
  }
  return `${json}]`
}

/** The same as a value, for the small answers that a serialiser writes. */
export function vectorValue(vector: Float32Array, format: EncodingFormat): number[] | string {
  return format === 'float' ? Array.from(vector, rounded) : base64(vector, format)
}

function rounded(value: number): number {
  return Math.round(value * 1e8) / 1e8
}

function base64(vector: Float32Array, format: 'base64' | 'int8'): string {
  if (format === 'base64') return littleEndian(vector).toString('base64')
  const bytes = Int8Array.from(vector, (x) => Math.round(x * INT8_SCALE))
  return Buffer.from(bytes.buffer).toString('base64')
}

function littleEndian(vector: Float32Array): Buffer {
  const buffer = Buffer.allocUnsafe(vector.length * 4)
  for (let i = 0; i < vector.length; i++) buffer.writeFloatLE(vector[i]!, i * 4)
  return buffer
}

/** Joins JSON pieces into one body: a string when it is small, else a stream that yields to other requests. */
export function jsonBody(pieces: Generator<string>, numbers: number): string | Readable {
  if (numbers <= NUMBERS_AT_ONCE) return [...pieces].join('')
  return Readable.from(turns(pieces))
}

async function* turns(pieces: Generator<string>): AsyncGenerator<string> {
  for (const piece of pieces) {
    yield piece
    await new Promise(setImmediate)
  }
}

/** `[row,row,...]`, a piece a row. */
export function* listOf<T>(items: readonly T[], json: (item: T, index: number) => string): Generator<string> {
  yield '['
  for (const [index, item] of items.entries()) yield `${index > 0 ? ',' : ''}${json(item, index)}`
  yield ']'
}
