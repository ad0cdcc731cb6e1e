import { expect, test } from 'vitest'
import { QueueAccount } from '../../src/inference/queue-account.ts'
import { QueueShares } from '../../src/inference/queue-shares.ts'

const LIMITS = { queueTextsMax: 100, queueTokensMax: 1000, queueCharsMax: 10_000 }

function open(percent = 75) {
  const account = new QueueAccount({ name: 'encoder', limits: LIMITS, rowTokensMax: 100 })
  const shares = new QueueShares('encoder', LIMITS, percent)
  return (client: string, texts: string[], lane: 'interactive' | 'bulk' = 'interactive') =>
    shares.take(account.ticket(texts, lane), lane, client)
}

/** How often a client gets a place for the same texts. */
function calls(take: ReturnType<typeof open>, client: string, texts: string[]): number {
  for (let count = 0; ; count++) {
    try {
      take(client, texts)
    } catch (error) {
      expect(error).toMatchObject({ code: 'OVERLOADED', details: { retryAfterMs: 100, lane: 'interactive' } })
      return count
    }
  }
}

test.each([
  ['texts', Array.from({ length: 5 }, () => ''), 15],
  ['tokens', ['x'.repeat(400)], 7],
  ['characters', ['x'.repeat(1000)], 7],
])('a client that fills the queue with %s leaves room for another', (_, texts, expected) => {
  const take = open()
  expect(calls(take, 'greedy', texts)).toBe(expected)
  expect(calls(take, 'other', texts)).toBeGreaterThan(0)
  // The other lane has places of its own.
  take('greedy', texts, 'bulk')
})

test('what was given back can be taken again, and one call may take what is free', () => {
  const take = open(50)
  const all = Array.from({ length: 100 }, () => 'x')
  take('one', all)()
  const back = take('other', all)
  expect(() => take('one', ['x'])).toThrow('one client may')
  back()
  take('one', ['x'])
})
