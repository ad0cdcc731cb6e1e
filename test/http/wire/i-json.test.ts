import { expect, test } from 'vitest'
import { JSON_DEPTH_MAX, parseIJson } from '../../../src/http/wire/i-json.ts'

const parse = (text: string) => parseIJson(text, 'The body')

test.each([
  '9007199254740992',
  '-9007199254740994',
  '100000000000000000000',
  '1e300',
  '-1.7976931348623157e308',
  '0.1000000000000000055511151231257827',
  '123456789.12345678901234567890',
  '12345678901234567000',
  '1.50000000000000000000000e+20',
  '"9007199254740993"',
  '"a\\\\" ',
])('%s comes back as it was written', (text) => {
  expect(parse(`{"a":[${text}]}`)).toEqual({ a: [JSON.parse(text)] })
})

test.each([
  '9007199254740993',
  '-9007199254740993',
  '1700000000123456789',
  '18446744073709551615',
  '12345678901234567168',
  '9007199254740993.0',
  '9.007199254740993e15',
  '9007199254740993e0',
  '900719925474099.30000000001e1',
  `1${'0'.repeat(40)}1`,
])('%s is refused and not rounded', (text) => {
  for (const around of [`{"a":{"b":[1,${text}]}}`, `{"a":{"b":[1, ${text} ]},"c":"9007199254740993"}`]) {
    expect(() => parse(around)).toThrow('a.b[1] is a number beyond 2^53')
  }
  expect(() => parse(text)).toThrow('The body is a number beyond 2^53')
})

test.each([
  ['{"a":1,"b":{"a":2,"c":3,"c":4}}', 'c'],
  ['[{"a":1},{"a":{"a":1},"a":2}]', 'a'],
  ['{"__proto__":1,"__proto__":2}', '__proto__'],
  ['{"x":"a\\":{", "k\\u0041":1, "kA":2}', 'kA'],
  ['{"":0,"":1}', ''],
])('%s has a field twice', (text, key) => {
  expect(() => parse(text)).toThrow(`The body has the field ${key} twice in one object`)
})

test.each([
  ['{"a":["\\ud800"]}', 'a[0]'],
  ['{"a":{"\\udc00":1}}', 'a'],
  ['{"a":[1,{"b":"\\ud83d\\ud83d\\udca9"}]}', 'a[1].b'],
  ['"\\uDfff"', 'The body'],
])('%s holds half a character', (text, place) => {
  expect(() => parse(text)).toThrow(`${place} is not well-formed Unicode`)
})

test.each(['{"a":"\\ud83d\\udca9"}', '{"a":"\\\\ud800"}', '{"constructor":{"prototype":1}}', '\ufeff{}'])(
  '%s passes',
  (text) => {
    expect(parseIJson(Buffer.from(text), 'The body')).toEqual(JSON.parse(text.replace('\ufeff', '')))
  },
)

test('__proto__ is a field like any other and changes nothing', () => {
  const value = parse('{"__proto__":{"polluted":1}}') as Record<string, unknown>
  expect(Object.keys(value)).toEqual(['__proto__'])
  expect(value['polluted']).toBeUndefined()
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('depth has a limit, and may be endless without harm', () => {
  const nested = (levels: number) => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`
  expect(() => parse(nested(JSON_DEPTH_MAX))).not.toThrow()
  expect(() => parse(nested(JSON_DEPTH_MAX + 2))).toThrow('nested deeper than 64 levels')
  expect(() => parse('['.repeat(5_000_000))).toThrow('nested deeper than 64 levels')
})

test.each([
  '',
  ' ',
  '{',
  '{"a":',
  '"',
  '"\\',
  '"\\"',
  '-',
  '1e',
  '{"a":1}}',
  "{'a':1}",
  'NaN',
  '01',
  '{"a":1,}',
])('of %j is said that it is no JSON', (text) => {
  expect(() => parse(text)).toThrow('The body is not valid JSON.')
})

test('what JSON.stringify writes is read as JSON.parse reads it', () => {
  let seed = 1
  const random = () => {
    seed = (seed * 48_271) % 0x7fff_ffff
    return seed / 0x7fff_ffff
  }
  const pick = <T>(items: T[]): T => items[Math.floor(random() * items.length)]!
  const string = () =>
    Array.from({ length: Math.floor(random() * 90) }, () =>
      pick(['a', '"', '\\', '{', ':', 'é', '🌊', '\n']),
    ).join('')
  const value = (depth: number): unknown => {
    const kind = random()
    if (depth > 5 || kind < 0.2) return pick([null, true, 0, -1.5, 1e21, 1e-9, random(), random() * 1e18])
    if (kind < 0.4) return string()
    const items = Array.from({ length: Math.floor(random() * 6) }, () => value(depth + 1))
    return kind < 0.6 ? items : Object.fromEntries(items.map((item) => [string(), item]))
  }
  for (let round = 0; round < 500; round++) {
    const text = JSON.stringify(value(0), null, round % 3)
    expect(parse(text)).toEqual(JSON.parse(text))
  }
})
