import { expect, test } from 'vitest'
import { FairShare } from '../../src/sharing/fair-share.ts'

/** Takes one place after the other for as long as it is allowed to. */
function takeAll(share: FairShare, client: string): number {
  let taken = 0
  while (share.take(client)) taken++
  return taken
}

test('one client alone gets its share, and newcomers get places of what is left', () => {
  const share = new FairShare(256, 75)
  const taken = ['a', 'b', 'c', 'd'].map((client) => takeAll(share, client))
  expect(taken[0]).toBe(192)
  for (const count of taken) expect(count).toBeGreaterThan(0)
  expect(share.total).toBeLessThan(256)
})

test('clients that ask in turn end up with equal shares', () => {
  const share = new FairShare(100, 75)
  const clients = ['a', 'b', 'c']
  for (let round = 0; round < 100; round++) for (const client of clients) share.take(client)
  const held = clients.map((client) => share.held(client))
  expect(Math.max(...held) - Math.min(...held)).toBeLessThanOrEqual(1)
  expect(share.total).toBeGreaterThan(85)
})

test('whoever holds nothing gets what is free, and no more than that', () => {
  const one = new FairShare(1, 50)
  expect(takeAll(one, 'a')).toBe(1)
  expect(one.take('b')).toBe(false)
  one.give('a')
  expect(one.take('b')).toBe(true)
  expect(new FairShare(100, 50).take('a', 100)).toBe(true)
  expect(new FairShare(100, 50).take('a', 101)).toBe(false)
})

test('what was given back can be taken again, and nothing is remembered of a client that has gone', () => {
  const share = new FairShare(8, 75)
  for (let round = 0; round < 3; round++) {
    const taken = takeAll(share, 'a')
    expect(taken).toBe(6)
    share.give('a', taken)
    expect(share.total).toBe(0)
  }
})

test('the only thing that a client holds may grow into all that is free', () => {
  const bytes = new FairShare(100, 50)
  expect(bytes.take('a', 60)).toBe(true)
  expect(bytes.take('a', 40)).toBe(false)
  expect(bytes.take('a', 40, 60)).toBe(true)
})

test('a share of 100 % is no division at all', () => {
  expect(takeAll(new FairShare(10, 100), 'a')).toBe(10)
})
