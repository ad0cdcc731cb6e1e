import { expect, test } from 'vitest'
import { DateFields, dateOf, instantOf } from '../../src/index/metadata/dates.ts'

test.each([
  ['2024-02-29', '2024-02-29T00:00:00'],
  ['2024-02-29T23:30:00-01:00', '2024-03-01T00:30:00'],
  ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00'],
  ['0099-12-31T23:59:59Z', '0099-12-31T23:59:59'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999'],
  ['2024-01-01 00:00:00.100z', '2024-01-01T00:00:00.1'],
  ['2024-01-01T00:00:00.000+00:00', '2024-01-01T00:00:00'],
  ['1990-12-31T15:59:60-08:00', '1990-12-31T23:59:60'],
  ['2016-12-31T23:59:60.25Z', '2016-12-31T23:59:60.25'],
])('%s is the instant %s', (text, instant) => {
  expect(instantOf(text)).toBe(instant)
  expect(instantOf(dateOf(instant))).toBe(instant)
})

test.each([
  '',
  '2024',
  '2024-13-01',
  '2023-02-29',
  '2024-01-01T00:00:00',
  '2024-01-01T00:00Z',
  '2024-01-01T24:00:00Z',
  '2024-01-01T00:00:61Z',
  '2024-01-01T12:00:60Z',
  '2024-01-01T00:00:00+24:00',
  '2024-01-01T00:00:00+0100',
  '0000-01-01T00:00:00+00:01',
  '9999-12-31T23:59:59-00:01',
  '٢٠٢٤-01-01',
  ' 2024-01-01',
  '2024-01-01\n',
  '+002024-01-01',
])('%j is no date', (text) => expect(instantOf(text)).toBeUndefined())

test('instants are ordered as their texts', () => {
  const rising = [
    '2016-12-31T23:59:59Z',
    '2016-12-31T23:59:59.9Z',
    '2016-12-31T23:59:60Z',
    '2016-12-31T23:59:60.5Z',
    '2017-01-01T00:00:00Z',
    '2017-01-01T00:00:00.000000001Z',
  ].map((text) => instantOf(text)!)
  expect(rising.toSorted()).toEqual(rising)
})

test('fields are named as filters name them', () => {
  const fields = new DateFields(['a.b', 'a\\.b.c', '\\$x', '\u{1f600}'])
  const named = [['a', 'b'], ['a.b', 'c'], ['$x'], ['\u{1f600}']]
  for (const path of named) expect(fields.has(path)).toBe(true)
  for (const path of [['a'], ['a.b'], ['a', 'b', 'c'], []]) expect(fields.has(path)).toBe(false)
})
