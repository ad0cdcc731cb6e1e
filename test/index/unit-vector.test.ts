import { expect, test } from 'vitest'
import { unitVector } from '../../src/index/unit-vector.ts'

test.each([
  [
    [3, 4],
    [0.6, 0.8],
  ],
  [
    [0, -2],
    [0, -1],
  ],
  [
    [3e300, 4e300],
    [0.6, 0.8],
  ],
  [
    [3e-320, 4e-320],
    [0.6, 0.8],
  ],
])('%j becomes %j', (given, expected) => {
  const vector = unitVector(given, 2)
  expect(vector[0]).toBeCloseTo(expected[0]!, 3)
  expect(vector[1]).toBeCloseTo(expected[1]!, 3)
})

test.each([[[0, 0]], [[1]], [[1, 2, 3]], [[Number.NaN, 1]], [[Number.POSITIVE_INFINITY, 1]], [[]]])(
  '%j is refused',
  (given) => {
    expect(() => unitVector(given, 2)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }))
  },
)
