import { expect, test } from 'vitest'
import type { Metadata } from '../../../src/index/json.ts'
import { checkDocument, type NewDocument } from '../../../src/retrieval/checks/check-document.ts'
import { METADATA_DEPTH_MAX, METADATA_VALUES_MAX } from '../../../src/retrieval/checks/check-metadata.ts'

const LIMITS = { textBytesMax: 100, metadataBytesMax: 100_000 }
const SETTINGS = { dates: ['published', 'by.born', 'a\\.b'] }
const check = (given: Partial<NewDocument>) =>
  checkDocument({ text: 'text', ...given }, 'document', LIMITS, SETTINGS)

test('what is left out is filled in', () => {
  expect(check({ title: '' })).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    text: 'text',
    title: null,
    metadata: {},
  })
})

test.each<[string, Partial<NewDocument>, string, string]>([
  ['an empty id', { id: '' }, 'INVALID_INPUT', 'document.id'],
  ['a long id', { id: 'é'.repeat(257) }, 'INVALID_INPUT', 'document.id'],
  ['a control character in an id', { id: 'a\u0000b' }, 'INVALID_INPUT', 'document.id'],
  ['half a surrogate pair in an id', { id: '\ud800' }, 'INVALID_INPUT', 'document.id'],
  ['a blank text', { text: ' \n\t' }, 'INVALID_INPUT', 'document.text'],
  ['a C1 control character in an id', { id: 'a\u0085b' }, 'INVALID_INPUT', 'document.id'],
  ['an invisible title', { title: '\u200b\u00ad' }, 'INVALID_INPUT', 'document.title'],
  ['a broken text', { text: 'a\udc00' }, 'INVALID_INPUT', 'document.text'],
  ['a long text', { text: 'é'.repeat(51) }, 'TOO_LARGE', 'document.text'],
  ['a blank title', { title: ' ' }, 'INVALID_INPUT', 'document.title'],
  ['broken metadata', { metadata: { a: ['x\ud800'] } }, 'INVALID_INPUT', 'document.metadata'],
  ['a broken key', { metadata: { a: { 'k\udc00': 1 } } }, 'INVALID_INPUT', 'document.metadata'],
  ['a number beyond doubles', { metadata: JSON.parse('{"x":1e400}') }, 'INVALID_INPUT', 'document.metadata'],
  [
    'the same, far inside',
    { metadata: JSON.parse('{"x":[{"y":-1e999}]}') },
    'INVALID_INPUT',
    'document.metadata',
  ],
  [
    'a key __proto__',
    { metadata: JSON.parse('{"a":{"__proto__":1}}') },
    'INVALID_INPUT',
    'document.metadata',
  ],
  ['long metadata', { metadata: { a: 'x'.repeat(100_001) } }, 'TOO_LARGE', 'document.metadata'],
])('%s is refused', (_, given, code, field) => {
  expect(() => check(given)).toThrow(
    expect.objectContaining({ code, details: expect.objectContaining({ field }) }),
  )
})

test('metadata has a greatest depth and a greatest number of values', () => {
  const deep = (levels: number): Metadata => (levels === 0 ? { end: 1 } : { in: deep(levels - 1) })
  expect(() => check({ metadata: deep(METADATA_DEPTH_MAX - 1) })).not.toThrow()
  expect(() => check({ metadata: deep(METADATA_DEPTH_MAX) })).toThrow(
    expect.objectContaining({ code: 'INVALID_INPUT' }),
  )
  const wide = (values: number): Metadata =>
    Object.fromEntries(Array.from({ length: values }, (_, i) => [`k${i}`, i]))
  expect(() => check({ metadata: wide(METADATA_VALUES_MAX) })).not.toThrow()
  expect(() => check({ metadata: wide(METADATA_VALUES_MAX + 1) })).toThrow(
    expect.objectContaining({ code: 'TOO_LARGE' }),
  )
})

test('strings in fields of dates are dates', () => {
  const metadata = {
    published: ['2024-05-31', '2024-05-31T12:00:00Z', null, 7],
    by: [{ born: '1969-07-20T20:17:40-00:00' }, { born: true }],
    'a.b': '2016-12-31T23:59:60Z',
    a: { b: 'no date' },
    other: 'no date',
  }
  expect(check({ metadata }).metadata).toEqual(metadata)
  const faults: [Metadata, string][] = [
    [{ published: 'May 31' }, 'document.metadata.published'],
    [{ published: ['2024-05-31', '2024-05-32'] }, 'document.metadata.published'],
    [{ by: [{}, { born: '' }] }, 'document.metadata.by.born'],
    [{ 'a.b': '2024-05-31T12:00:00' }, 'document.metadata.a.b'],
  ]
  for (const [given, field] of faults) {
    const refused = {
      code: 'INVALID_INPUT',
      details: { field },
      message: expect.stringContaining('RFC 3339'),
    }
    expect(() => check({ metadata: given })).toThrow(expect.objectContaining(refused))
  }
})
