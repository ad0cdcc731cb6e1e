import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { parseIJson } from '../../src/http/wire/i-json.ts'
import { parseLargeJson } from '../../src/http/wire/large-json.ts'

/** Numbers below a bound in an order that is the same on every run. */
function dice(seed: number) {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const SCALARS = [0, -1.5, 1e21, true, null, '', 'a"b\\c', '{[,:]}', '\u2028é😀', 'x'.repeat(20_000)]

/** JSON of lists and objects of all sizes inside one another. */
function randomJson(next: (below: number) => number, depth = 0): string {
  const blank = () => ['', ' ', '\n\t'][next(3)]!
  const kind = depth > 4 ? 0 : next(depth === 0 ? 2 : 4)
  if (depth > 0 && kind < 2) return JSON.stringify(SCALARS[next(SCALARS.length - (next(40) ? 1 : 0))])
  const size = [0, 1, 3, 40, depth === 0 ? 1000 : 60][next(5)]!
  const list = kind % 2 === 0
  const members = Array.from({ length: size }, (_, i) => {
    const value = next(size > 100 ? 30 : size > 10 ? 12 : 2)
      ? JSON.stringify(SCALARS[next(7)])
      : randomJson(next, depth + 1)
    const key = i === 7 ? '__proto__' : `key ${i}`
    return `${blank()}${list ? '' : `${JSON.stringify(key)}${blank()}:`}${value}${blank()}`
  })
  const body = members.length > 0 ? members.join(',') : blank()
  return list ? `[${body}]` : `{${body}}`
}

/** The value, or what is wrong with it. */
async function outcome(read: () => unknown): Promise<unknown> {
  try {
    return { value: await read() }
  } catch (error) {
    const { name, message, kind } = error as Error & { kind?: string }
    return kind ? { kind, message } : { name, message }
  }
}

test('a long text gives what it gives in one piece, sound or damaged', async () => {
  const next = dice(11)
  const seen = { sound: 0, faulty: 0, long: 0 }
  for (let i = 0; i < 400; i++) {
    let text = randomJson(next)
    if (i % 2 === 1) {
      const at = next(text.length)
      const damage = ['', ',', '[', ']', '{', '}', '"', '1', ':', '\\', ' 9007199254740993', '"\\ud800"'][
        next(12)
      ]
      text = text.slice(0, at) + damage + text.slice(at + next(2))
    }
    const bytes = new TextEncoder().encode(text)
    const whole = await outcome(() => parseIJson(bytes, 'The body'))
    const inPieces = await outcome(() => parseLargeJson(bytes, 'The body'))
    // Of two faults the first may be named, though the second is that it is no JSON.
    if ((whole as { kind?: string }).kind === 'syntax') expect(inPieces).toHaveProperty('kind')
    else expect(isDeepStrictEqual(inPieces, whole), text.slice(0, 500)).toBe(true)
    if (text.length > 20_000) seen.long++
    if ('value' in (whole as object)) seen.sound++
    else seen.faulty++
  }
  expect(Math.min(seen.sound, seen.faulty, seen.long)).toBeGreaterThan(30)
})

const long = (text: string) => new TextEncoder().encode(text)
const FILL = `"${'x'.repeat(20_000)}"`

test.each([
  ['a value where a comma is missing', `{"a":1[${FILL},2]}`],
  ['a key without a value', `{"a"[${FILL},2]}`],
  ['two values in one place', `[[${FILL}] [${FILL}]]`],
  ['a comma before the end', `[[${FILL},1],]`],
  ['a comma too many', `[[${FILL},1],,1]`],
  ['no comma after a long list', `[[${FILL},1]1]`],
  ['another bracket', `[[${FILL},1}]`],
  ['no end', `[[${FILL},1]`],
  ['more behind the end', `[${FILL},1] 1`],
])('%s is no JSON', async (_, text) => {
  await expect(parseLargeJson(long(text), 'The body')).rejects.toMatchObject({ kind: 'syntax' })
})

test('a fault far down is named as it is in a short text', async () => {
  const items = Array.from({ length: 5000 }, (_, i) => `{"n":${i === 4321 ? '9007199254740993' : i}}`)
  await expect(parseLargeJson(long(`{"documents":[${items}]}`), 'The body')).rejects.toMatchObject({
    field: 'documents[4321].n',
    message: expect.stringMatching(/^documents\[4321\]\.n is a number beyond/),
  })
})

test('a field twice in one object is found across pieces', async () => {
  const fields = Array.from({ length: 5000 }, (_, i) => `"key ${i % 4999}":1`)
  await expect(parseLargeJson(long(`{${fields}}`), 'The body')).rejects.toMatchObject({
    message: 'The body has the field key 0 twice in one object; send it once.',
  })
})

test('an object of very many fields is refused without reading them all', async () => {
  const fields = Array.from({ length: 20_000 }, (_, i) => `"key ${i}":1`)
  await expect(parseLargeJson(long(`{"a":{${fields}`), 'The body')).rejects.toMatchObject({
    field: 'a',
    message: 'a has more than 10000 fields.',
  })
})

test('a list over its limit is refused without reading on, whatever limit it has', async () => {
  const items = (count: number) => Array.from({ length: count }, () => 1).join()
  const refusal = parseLargeJson(long(`{"ids":[${items(20_000)}`), 'The body', new Map([['ids', 9]]))
  await expect(refusal).rejects.toMatchObject({
    field: 'ids',
    limit: 9,
    message: 'ids has more than 9 items.',
  })
  const other = parseLargeJson(long(`{"a":{"ids":[${items(120_000)}`), 'The body', new Map([['ids', 9]]))
  await expect(other).rejects.toMatchObject({ field: 'a.ids', limit: 100_000 })
  await expect(parseLargeJson(long(`[${items(100_000)}]`), 'The body')).resolves.toHaveLength(100_000)
})

test('others have their turn while a long text is parsed', async () => {
  const bytes = long(JSON.stringify(Array.from({ length: 90_000 }, (_, i) => ({ [`k${i % 50}`]: i }))))
  let turns = 0
  const count = () => {
    turns++
    timer = setImmediate(count)
  }
  let timer = setImmediate(count)
  await parseLargeJson(bytes, 'The body')
  clearImmediate(timer)
  expect(turns).toBeGreaterThan(5)
})
