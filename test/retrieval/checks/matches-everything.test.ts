import { expect, test } from 'vitest'
import type { Metadata } from '../../../src/index/json.ts'
import { matchesEverything } from '../../../src/retrieval/checks/matches-everything.ts'
import { parseFilter } from '../../../src/retrieval/checks/parse-filter.ts'
import { matches } from '../../oracle/match-filter.ts'

const judge = (wire: unknown) => matchesEverything(parseFilter(wire))
const IMPOSSIBLE = { a: { $in: [] } }

test.each([
  {},
  { $and: [{}] },
  { $or: [{}] },
  { $or: [{ a: 1 }, {}] },
  { $and: [{ $or: [{ $and: [{}, {}] }] }, {}] },
  { a: { $nin: [] } },
  { a: { $nin: [] }, b: { $nin: [] } },
  { $not: IMPOSSIBLE },
  { $not: { $and: [{ b: 1 }, IMPOSSIBLE] } },
  { $not: { $not: {} } },
  { $not: { a: { $gt: 5, $lt: 3 } } },
  { $not: { a: { $gt: 5, $lte: 5 } } },
  { $not: { a: { $gte: 5, $lt: 'x' } } },
  { $not: { a: { $lt: '' } } },
  { $not: { a: { $gt: Number.MAX_VALUE } } },
  { $or: [{ a: 1 }, { a: { $ne: 1 } }] },
  { $or: [{ a: { $exists: true } }, { a: { $exists: false } }] },
  { $or: [{ a: { $exists: true } }, { a: { $ne: 1 } }] },
  { $or: [{ a: { $exists: true } }, { $not: { a: { $lt: 4 } } }] },
  { $or: [{ a: { $in: [1, 2] } }, { a: { $nin: [2] } }] },
  { $or: [{ a: 1 }, { a: 2 }, { a: { $nin: [1, 2] } }] },
  { $or: [{ a: { $gte: 3 } }, { a: { $ne: 3 } }] },
  { $or: [{ a: { $gt: 3 } }, { $not: { a: { $gte: 5, $lt: 9 } } }] },
  { $not: { $and: [{ a: 1 }, { a: { $ne: 1 } }] } },
  { $or: [{ $and: [{ a: 1 }, { b: 1 }] }, { a: { $ne: 1 } }, { b: { $ne: 1 } }] },
  { $or: [...Array.from({ length: 40 }, (_, i) => ({ a: i })), { b: 1 }, { b: { $ne: 1 } }] },
])('%j matches every document', (filter) => expect(judge(filter)).toBe(true))

test.each([
  IMPOSSIBLE,
  { a: 1 },
  { a: { $ne: 1 } },
  { a: { $exists: true } },
  { a: { $exists: false } },
  { $not: {} },
  { $or: [{ a: 1 }, { b: { $ne: 1 } }] },
  // A list may hold both, and a document neither.
  { $or: [{ a: { $ne: 1 } }, { a: { $ne: 2 } }] },
  { $or: [{ a: { $lt: 5 } }, { a: { $gte: 5 } }] },
  { $or: [{ a: { $exists: false } }, { a: { $lt: 5 } }, { a: { $gte: 5 } }] },
  { $or: [{ a: { $gt: 3 } }, { a: { $ne: 3 } }] },
  { $or: [{ a: { $gt: 5 } }, { $not: { a: { $gt: 3 } } }] },
  { $or: [{ 'a.b': 1 }, { 'a\\.b': { $ne: 1 } }] },
  { $and: [{}, { a: { $nin: [] }, b: 1 }] },
  { $not: { a: { $gte: 5, $lte: 5 } } },
  { $or: [{ $and: [{ a: 1 }, { b: 1 }] }, { a: { $ne: 1 } }] },
  { $or: Array.from({ length: 256 }, (_, i) => ({ a: i })) },
  { $and: Array.from({ length: 60 }, (_, i) => ({ [`f${i}`]: { $ne: i } })) },
])('%j does not', (filter) => expect(judge(filter)).toBe(false))

test('what is said of a filter holds for every document', () => {
  let seed = 7
  const random = (n: number) => {
    seed = (seed * 48_271) % 0x7fff_ffff
    return seed % n
  }
  const value = () => [1, 'x', null][random(3)]
  const condition = () => {
    const operators = [
      () => value(),
      () => ({ $ne: value() }),
      () => ({ $in: Array.from({ length: random(3) }, value) }),
      () => ({ $nin: Array.from({ length: random(3) }, value) }),
      () => ({ $gte: 1, $lt: 1 + random(3) }),
      () => ({ $exists: random(2) === 0 }),
    ]
    return { [['a', 'b'][random(2)]!]: operators[random(6)]!() }
  }
  const filter = (depth: number): Record<string, unknown> => {
    if (depth === 0 || random(3) === 0) return condition()
    const parts = Array.from({ length: 1 + random(3) }, () => filter(depth - 1))
    return [{ $and: parts }, { $or: parts }, { $not: parts[0] }][random(3)]!
  }
  // Every list of what the conditions can tell apart, and no field.
  const lists = Array.from({ length: 32 }, (_, set) =>
    [1, 1.5, 2.5, 'x', null].filter((_, i) => set & (1 << i)),
  )
  const values = [undefined, ...lists]
  const documents = values.flatMap((a) => values.map((b) => JSON.parse(JSON.stringify({ a, b })) as Metadata))
  let everything = 0
  for (let round = 0; round < 400; round++) {
    const wire = filter(3)
    const parsed = parseFilter(wire)
    const all = documents.every((document) => matches(parsed, document))
    expect({ wire, judged: matchesEverything(parsed) }).toEqual({ wire, judged: all })
    if (all) everything++
  }
  expect(everything).toBeGreaterThan(5)
})
