import { describe, expect, it } from 'vitest'
import type { Metadata } from '../../../src/index/json.ts'
import { FILTER_LIMITS, parseFilter } from '../../../src/retrieval/checks/parse-filter.ts'
import { matches } from '../../oracle/match-filter.ts'

const match = (wire: unknown, metadata: unknown) => matches(parseFilter(wire), metadata as Metadata)

describe('parseFilter', () => {
  it('reads every form', () => {
    expect(parseFilter({ a: 1 })).toEqual({ kind: 'in', path: ['a'], values: [1] })
    expect(parseFilter({ 'a.b\\.c.\\\\': { $ne: null } })).toEqual({
      kind: 'not',
      filter: { kind: 'in', path: ['a', 'b.c', '\\'], values: [null] },
    })
    expect(parseFilter({ '\\$a': { $gt: 1, $lte: 'x' } })).toEqual({
      kind: 'range',
      path: ['$a'],
      bounds: [
        { operator: 'gt', value: 1 },
        { operator: 'lte', value: 'x' },
      ],
    })
    expect(parseFilter({ $or: [{ a: 1 }, {}], $not: { b: { $exists: true } } })).toEqual({
      kind: 'and',
      filters: [
        {
          kind: 'or',
          filters: [
            { kind: 'in', path: ['a'], values: [1] },
            { kind: 'and', filters: [] },
          ],
        },
        { kind: 'not', filter: { kind: 'exists', path: ['b'] } },
      ],
    })
  })

  it.each([
    [undefined, 'filter must be an object'],
    [[], 'filter must be an object of conditions, not a list'],
    [{ $where: 'x' }, 'filter.$where is not an operator here'],
    [{ $and: [] }, 'filter.$and must be a list of at least one filter'],
    [{ $and: [{ a: 1 }, 3] }, 'filter.$and[1] must be an object of conditions, not a number'],
    [{ $not: [{ a: 1 }] }, 'filter.$not must be an object'],
    [{ a: [1, 2] }, 'filter.a is a list: write {"$in": [...]}'],
    [{ a: {} }, 'filter.a must be a value or an object of $eq'],
    [{ a: { b: 1 } }, 'filter.a.b is not an operator: use one of $eq'],
    [{ a: { $regex: 'x' } }, 'filter.a.$regex is not an operator'],
    [{ a: { $in: 'x' } }, 'filter.a.$in must be a list of values, not a string'],
    [
      { a: { $in: [1, {}] } },
      'filter.a.$in[1] must be a string, a finite number, true, false or null, not an object',
    ],
    [{ a: { $gt: true } }, 'filter.a.$gt must be a number or a string, not a boolean'],
    [{ a: { $gt: null } }, 'filter.a.$gt must be a number or a string, not null'],
    [{ a: { $exists: 1 } }, 'filter.a.$exists must be true or false, not a number'],
    [{ a: Number.NaN }, 'filter.a must be a string, a finite number'],
    [{ 'a..b': 1 }, 'filter.a..b has an empty part'],
    [{ '': 1 }, 'has an empty part'],
    [{ 'a\\b': 1 }, 'has a stray backslash'],
    [{ 'a\\': 1 }, 'has a stray backslash'],
    [{ 'a\\n': 1 }, 'has a stray backslash'],
  ])('refuses %j', (wire, message) => {
    expect(() => parseFilter(wire)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(message) }),
    )
  })

  it('holds its limits, and allows all up to them', () => {
    const { conditionsMax, depthMax, valuesMax, pathSegmentsMax } = FILTER_LIMITS
    const deep = (n: number): unknown => (n === 1 ? { a: 1 } : { $not: deep(n - 1) })
    const wide = (n: number) => ({ $or: Array.from({ length: n }, (_, i) => ({ a: i })) })
    const path = (n: number) => ({ [Array(n).fill('p').join('.')]: 1 })
    const values = (n: number) => ({ a: { $in: [0] }, b: { $nin: Array(n - 1).fill(1) } })
    for (const [make, max] of [
      [deep, depthMax],
      [wide, conditionsMax],
      [path, pathSegmentsMax],
      [values, valuesMax],
    ] as const) {
      expect(() => parseFilter(make(max))).not.toThrow()
      expect(() => parseFilter(make(max + 1))).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }))
    }
  })
})

describe('a filter', () => {
  it('compares within one type only', () => {
    expect(match({ a: 1 }, { a: true })).toBe(false)
    expect(match({ a: 1 }, { a: '1' })).toBe(false)
    expect(match({ a: null }, {})).toBe(false)
    expect(match({ a: null }, { a: null })).toBe(true)
    expect(match({ a: { $gt: 0 } }, { a: '5' })).toBe(false)
    expect(match({ a: { $lt: 'z' } }, { a: 5 })).toBe(false)
    expect(match({ a: { $gte: 0 } }, { a: false })).toBe(false)
  })

  it('orders strings by code point', () => {
    expect(match({ a: { $gt: '\uff5e' } }, { a: '\u{1f600}' })).toBe(true)
    expect(match({ a: { $lt: 'b' } }, { a: 'a\u0000' })).toBe(true)
    expect(match({ a: { $gt: 'a' } }, { a: 'a\u0000' })).toBe(true)
  })

  it('looks through lists', () => {
    const metadata = { tags: ['x', ['y']], authors: [{ name: 'N' }, { name: 'M', age: 3 }], none: [] }
    expect(match({ tags: 'y' }, metadata)).toBe(true)
    expect(match({ tags: { $ne: 'x' } }, metadata)).toBe(false)
    expect(match({ 'authors.name': 'M' }, metadata)).toBe(true)
    expect(match({ 'authors.age': { $exists: true } }, metadata)).toBe(true)
    expect(match({ none: { $exists: true } }, metadata)).toBe(true)
    expect(match({ 'none.a': { $exists: true } }, metadata)).toBe(false)
    expect(match({ none: null }, metadata)).toBe(false)
  })

  it('holds a range within one element', () => {
    expect(match({ a: { $gt: 1, $lt: 5 } }, { a: [0, 9] })).toBe(false)
    expect(match({ a: { $gt: 1, $lt: 5 } }, { a: [0, 3, 9] })).toBe(true)
    expect(match({ a: { $gt: 1, $lt: 'z' } }, { a: [3, 'b'] })).toBe(false)
    expect(match({ $and: [{ a: { $gt: 1 } }, { a: { $lt: 5 } }] }, { a: [0, 9] })).toBe(true)
    expect(match({ a: { $gte: 1, $ne: 3 } }, { a: [3, 9] })).toBe(false)
  })

  it('treats names of Object.prototype as names', () => {
    expect(match({ constructor: { $exists: true } }, {})).toBe(false)
    expect(match({ 'a.toString': { $exists: true } }, { a: {} })).toBe(false)
    expect(match(JSON.parse('{"__proto__": 1}'), JSON.parse('{"__proto__": 1}'))).toBe(true)
    expect(match(JSON.parse('{"__proto__.x": {"$exists": true}}'), {})).toBe(false)
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })
})
