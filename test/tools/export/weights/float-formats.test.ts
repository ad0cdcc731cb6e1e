import { expect, it } from 'vitest'
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToFloat16,
} from '../../../../src/tools/export/weights/float-formats.ts'

const everyWord = Uint16Array.from({ length: 65_536 }, (_, i) => i)

it('reads every binary16 and writes it back as it was', () => {
  const back = float32ToFloat16(float16ToFloat32(everyWord))
  const wrong = everyWord.filter((word) => {
    const magnitude = word & 0x7fff
    // Of not-a-numbers only the fact is kept; infinities become the largest finite number.
    if (magnitude > 0x7c00) return (back[word]! & 0x7fff) !== 0x7e00
    return back[word] !== (magnitude === 0x7c00 ? word - 1 : word)
  })
  expect([...wrong]).toEqual([])
})

it('knows the numbers of the standard', () => {
  const words = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555)
  const expected = [1, -2, 65504, 2 ** -24, 0.333251953125]
  expect([...float16ToFloat32(words)]).toEqual(expected)
  expect([...bfloat16ToFloat32(Uint16Array.of(0x3f80, 0xc049, 0x0000))]).toEqual([1, -3.140625, 0])
})

it('rounds to the nearest, ties to even, and never to infinity', () => {
  const floats = Float32Array.of(
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
    1 + 2 ** -11 + 2 ** -20,
    2 ** -25,
    3 * 2 ** -25,
    1e9,
    -1e9,
  )
  expect([...float32ToFloat16(floats)]).toEqual([0x3c00, 0x3c02, 0x3c01, 0x0000, 0x0002, 0x7bff, 0xfbff])
})
