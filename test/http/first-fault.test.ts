import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { compileCheck } from '../../src/http/wire/validation.ts'

const Item = Type.Object(
  { id: Type.Optional(Type.String({ minLength: 1, maxLength: 5 })), text: Type.String() },
  { additionalProperties: false },
)
const check = compileCheck(
  Type.Object(
    {
      items: Type.Optional(Type.Array(Item, { minItems: 1, maxItems: 3 })),
      'a/b': Type.Optional(Type.Object({ list: Type.Array(Type.Number(), { maxItems: 2 }) })),
      either: Type.Optional(Type.Unsafe({ type: ['string', 'array'] })),
    },
    { additionalProperties: false },
  ),
)

test.each([
  [{ items: [{ text: 'a' }] }, undefined],
  [{}, undefined],
  ['text', 'The body must be object.'],
  [null, 'The body must be object.'],
  [{ items: 'text' }, 'items must be array.'],
  [{ items: [] }, 'items must not have fewer than 1 items.'],
  [{ items: [{ text: 'a' }, { text: 1 }] }, 'items[1].text must be string.'],
  [{ items: [{ text: 'a' }, {}] }, 'items[1] lacks text.'],
  [{ items: [{ text: 'a', x: 1, y: 2 }] }, 'items[0] has unknown fields: x, y.'],
  [{ items: [{ text: 'a', id: '' }] }, 'items[0].id must not have fewer than 1 characters.'],
  [{ items: [{ text: 'a', id: 'abcdef' }] }, 'items[0].id has more than 5 characters.'],
  [{ items: Array.from({ length: 4 }, () => 1) }, 'items has more than 3 items.'],
  [{ 'a/b': { list: [1, 2, 3] } }, 'a/b.list has more than 2 items.'],
  [{ 'a/b': { list: [1, 'x'] } }, 'a/b.list[1] must be number.'],
  [{ either: 1 }, 'either must be either string or array.'],
  [{ constructor: 1 }, 'The body has unknown fields: constructor.'],
  [JSON.parse('{"__proto__":1}'), 'The body has unknown fields: __proto__.'],
])('%j', (value, message) => {
  expect(check(value)?.message).toBe(message)
})

test('a list over its limit is refused without a look at its items', () => {
  const unread = new Proxy<object>({}, { ownKeys: fail, get: fail, has: fail })
  const fault = check({ items: Array.from({ length: 100_000 }, () => unread) })
  expect(fault).toMatchObject({ code: 'TOO_LARGE', details: { field: 'items', limit: 3 } })
})

test('nothing after the first fault is explained, however many there are', () => {
  const unread = new Proxy<object>({}, { ownKeys: fail, get: fail, has: fail })
  const list = compileCheck(Type.Array(Item))
  expect(list([{ text: 1 }, ...Array.from({ length: 1000 }, () => unread)])?.message).toBe(
    '[0].text must be string.',
  )
  const names = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`name${i}`, unread]))
  expect(check(names)?.message).toBe(
    'The body has unknown fields: name0, name1, name2, name3, name4, name5, name6, name7.',
  )
})

function fail(): never {
  throw new Error('looked at')
}
