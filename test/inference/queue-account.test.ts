import { describe, expect, test } from 'vitest'
import { QueueAccount, type QueueLimits } from '../../src/inference/queue-account.ts'

const ROW_TOKENS_MAX = 20

function open(changes: Partial<QueueLimits> = {}) {
  const limits = { queueTextsMax: 10, queueTokensMax: 100, queueCharsMax: 1000, ...changes }
  const options = { name: 'encoder', limits, rowTokensMax: ROW_TOKENS_MAX }
  const face = new QueueAccount(options)
  /** As in the worker: the same account, opened with the face's memory. */
  const worker = new QueueAccount({ ...options, buffer: face.buffer })
  return { face, worker }
}

const admit = (account: QueueAccount, texts: string[], lane: 'interactive' | 'bulk' = 'bulk') =>
  account.ticket(texts, lane).admit()

describe('queue account', () => {
  test('an estimate takes up nothing until it is admitted', () => {
    const { face } = open()
    const ticket = face.ticket(['12345678'], 'bulk')
    expect(face.stats().waitingTexts).toEqual({ interactive: 0, bulk: 0 })
    ticket.admit()
    expect(face.stats()).toMatchObject({ waitingTexts: { interactive: 0, bulk: 1 }, waitingTokens: 2 })
  })

  test('four characters are a token, and no text has more than the longest row', () => {
    const { face } = open()
    admit(face, ['', 'a', 'abcde', 'x'.repeat(400)])
    expect(face.stats().waitingTokens).toBe(0 + 1 + 2 + ROW_TOKENS_MAX)
  })

  test('a text that is run twice is estimated twice, and counts once as a text', () => {
    const { face } = open()
    const ticket = face.ticket(['abcde', 'x'.repeat(400)], 'bulk', 2)
    ticket.admit()
    expect(ticket.cost).toEqual({ texts: 2, tokens: 2 * (2 + ROW_TOKENS_MAX), chars: 405 })
    expect(face.stats()).toMatchObject({ waitingTexts: { bulk: 2 }, waitingTokens: 2 * (2 + ROW_TOKENS_MAX) })
    expect(() => face.ticket(new Array(3).fill('x'.repeat(400)), 'bulk', 2).admit()).toThrow(
      /tokens; this one has about 120/,
    )
  })

  test('the worker corrects, releases row by row, and releases the rest', () => {
    const { face, worker } = open()
    const texts = ['abcd', 'efgh', 'ijkl']
    admit(face, texts)
    const ticket = worker.ticket(texts, 'bulk')
    ticket.correct(0, 7)
    ticket.correct(1, 9)
    expect(face.stats()).toMatchObject({ waitingTexts: { bulk: 3 }, waitingTokens: 7 + 9 + 1 })
    ticket.release(0)
    expect(face.stats()).toMatchObject({ waitingTexts: { bulk: 2 }, waitingTokens: 9 + 1 })
    expect(ticket.waiting).toBe(2)
    ticket.releaseRest()
    expect(face.stats()).toMatchObject({ waitingTexts: { bulk: 0 }, waitingTokens: 0 })
    expect(ticket.waiting).toBe(0)
  })

  test('what has been released stays released', () => {
    const { face } = open()
    const ticket = face.ticket(['abcd', 'efgh'], 'interactive')
    ticket.admit()
    ticket.release(0)
    ticket.release(0)
    ticket.correct(0, 12)
    ticket.releaseRest()
    ticket.releaseRest()
    expect(face.stats()).toMatchObject({ waitingTexts: { interactive: 0 }, waitingTokens: 0 })
    // Characters, too: a call of all there are fits again.
    admit(face, ['x'.repeat(1000)], 'interactive')
  })

  test.each<[string, Partial<QueueLimits>, string[], number, string]>([
    ['texts', { queueTextsMax: 2 }, ['a', 'b', 'c'], 2, 'at most 2 texts; this one has 3. Send it in parts.'],
    ['tokens', { queueTokensMax: 3 }, ['abcdefgh', 'ijklmnop'], 3, 'at most 3 tokens; this one has about 4.'],
    ['characters', { queueCharsMax: 5 }, ['abc', 'def'], 5, 'at most 5 characters; this one has 6.'],
  ])('a call with more %s than ever fit is too large', (_, limits, texts, limit, message) => {
    const { face } = open(limits)
    const error = { code: 'TOO_LARGE', details: { limit }, message: expect.stringContaining(message) }
    expect(() => admit(face, texts)).toThrow(expect.objectContaining(error))
    expect(face.stats()).toMatchObject({ waitingTexts: { bulk: 0 }, waitingTokens: 0 })
  })

  test.each<[string, Partial<QueueLimits>]>([
    ['texts', { queueTextsMax: 1 }],
    ['tokens', { queueTokensMax: 1 }],
    ['characters', { queueCharsMax: 4 }],
  ])('one that would fit later is refused while the %s of its lane are taken', (_, limits) => {
    const { face, worker } = open(limits)
    admit(face, ['abcd'])
    const details = { retryAfterMs: 100, lane: 'bulk' }
    const message = 'The encoder queue is full; try again in 100 ms.'
    const error = expect.objectContaining({ code: 'OVERLOADED', details, message })
    expect(() => admit(face, ['abcd'])).toThrow(error)
    // The lanes have places of their own.
    admit(face, ['abcd'], 'interactive')
    worker.ticket(['abcd'], 'bulk').releaseRest()
    admit(face, ['abcd'])
  })

  test('the wait is the time all that waits takes, at the rate measured lately', () => {
    const { face, worker } = open({ queueTextsMax: 2 })
    worker.batchRan([{ length: 4 }, { length: 6 }], 30)
    admit(face, ['x'.repeat(40), 'x'.repeat(40)])
    admit(face, ['abcd'], 'interactive')
    expect(() => admit(face, ['a'])).toThrow(
      expect.objectContaining({ details: { retryAfterMs: 21 * 30, lane: 'bulk' } }),
    )
  })

  test('counts batches, tokens and padding', () => {
    const { face, worker } = open()
    worker.batchRan([{ length: 4 }, { length: 6 }], 1)
    worker.batchRan([{ length: 5 }], 1)
    expect(face.stats()).toMatchObject({ batches: 2, tokens: 15, paddedTokens: 17 })
  })
})
