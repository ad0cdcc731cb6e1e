import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { jsonBody, listOf, vectorJson } from '../../src/http/wire/vector-format.ts'

const VECTOR = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i) / 6)

test('float keeps eight decimals', () => {
  const values = JSON.parse(vectorJson(VECTOR, 'float')) as number[]
  for (const [i, value] of values.entries()) expect(Math.abs(value - VECTOR[i]!)).toBeLessThanOrEqual(5.1e-9)
})

test('base64 is the float32 numbers, little-endian, bit for bit', () => {
  const bytes = Buffer.from(JSON.parse(vectorJson(VECTOR, 'base64')), 'base64')
  expect(bytes).toHaveLength(256)
  expect(Array.from(VECTOR, (_, i) => bytes.readFloatLE(i * 4))).toEqual([...VECTOR])
  // A view into a larger buffer gives its own numbers only.
  expect(vectorJson(VECTOR.subarray(8, 16), 'base64')).toBe(vectorJson(VECTOR.slice(8, 16), 'base64'))
})

test('int8 is a signed byte a number, 127 for 1', () => {
  const bytes = Buffer.from(JSON.parse(vectorJson(Float32Array.of(1, -1, 0, 0.5), 'int8')), 'base64')
  expect([...new Int8Array(bytes)]).toEqual([127, -127, 0, 64])
})

test('a small body is a string, a large one a stream of the same text', async () => {
  const pieces = () => listOf([VECTOR, VECTOR], (vector) => vectorJson(vector, 'float'))
  const small = jsonBody(pieces(), 128)
  expect(typeof small).toBe('string')
  const large = jsonBody(pieces(), 1_000_000)
  expect(typeof large).not.toBe('string')
  expect(await text(large as NodeJS.ReadableStream as never)).toBe(small)
})
