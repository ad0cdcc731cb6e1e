import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Prompt } from '../../../src/encoder/encoder.ts'
import { type Bench, expectSame, MIXED, ONE_ROW } from './bench.ts'

/** Lanes, full queues, aborts and the end. */
export function queueing({ sharing, sharingNarrow, open }: Bench): void {
  test('an aborted call costs no batch', async () => {
    const encoder = await sharingNarrow()
    const { batches } = await encoder.stats()
    const before = AbortSignal.abort()
    await expect(encoder.encode(['x'], ['ebar'], { signal: before })).rejects.toMatchObject({
      code: 'ABORTED',
    })
    const first = encoder.encode(new Array(200).fill('leaves turn red'), ['ebar'])
    const later = new AbortController()
    const second = encoder.encode(new Array(50).fill('x'), ['ebar'], { signal: later.signal })
    later.abort()
    await expect(second).rejects.toMatchObject({ code: 'ABORTED' })
    await first
    expect((await encoder.stats()).batches - batches).toBe(200)
    expect(await encoder.stats()).toMatchObject({ waitingTexts: { bulk: 0 }, waitingTokens: 0 })
  })

  test('an interactive call overtakes bulk work', async () => {
    const encoder = await sharingNarrow()
    const { batches } = await encoder.stats()
    const order: string[] = []
    const bulk = encoder.encode(new Array(1000).fill('leaves turn red'), ['ebae']).then(() => {
      order.push('bulk')
    })
    while ((await encoder.stats()).batches === batches) await sleep(1)
    for (let i = 0; i < 3; i++) {
      await encoder.encode(['x'], ['ebar'], { lane: 'interactive' })
      order.push('interactive')
    }
    await bulk
    expect(order).toEqual(['interactive', 'interactive', 'interactive', 'bulk'])
  })

  test('a full queue refuses at once, says when to come back, and drains', async () => {
    const encoder = await sharingNarrow()
    const texts = new Array(500).fill('leaves turn red')
    const outcomes = Array.from({ length: 20 }, () => encoder.encode(texts, ['ebae']))
    const interactive = encoder.encode(['x'], ['ebar'], { lane: 'interactive' })
    expect((await encoder.stats()).waitingTexts.bulk).toBeLessThanOrEqual(1000)
    const settled = await Promise.allSettled(outcomes)
    expect(settled[0]).toMatchObject({ status: 'fulfilled' })
    const refused = settled.filter((outcome) => outcome.status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    for (const { reason } of refused) {
      expect(reason.code).toBe('OVERLOADED')
      expect(reason.details).toMatchObject({ retryAfterMs: expect.any(Number), lane: 'bulk' })
      expect(reason.details.retryAfterMs).toBeGreaterThan(0)
      expect(reason.message).toContain(`try again in ${reason.details.retryAfterMs} ms`)
    }
    await interactive
    expect((await encoder.encode(texts, ['ebae'])).vectors.ebae).toHaveLength(500)
    expect((await encoder.stats()).waitingTexts).toEqual({ interactive: 0, bulk: 0 })
    expect((await encoder.stats()).waitingTokens).toBe(0)
  })

  test('a call larger than the queue is refused for good, not queued', async () => {
    const encoder = await sharingNarrow()
    await expect(encoder.encode(new Array(1001).fill('x'), ['ebae'])).rejects.toMatchObject({
      code: 'TOO_LARGE',
      details: { limit: 1000 },
      message: expect.stringContaining('at most 1000 texts; this one has 1001'),
    })
    expect(await encoder.stats()).toMatchObject({ waitingTexts: { bulk: 0 }, waitingTokens: 0 })
  })

  test('both prompts at once leave the queue empty, whether they finish, are aborted or refused', async () => {
    const encoder = await sharingNarrow()
    const texts = new Array(500).fill('leaves turn red')
    const abort = new AbortController()
    const calls = [
      encoder.encode(texts, ['ebar', 'ebae']),
      encoder.encode(texts, ['ebar', 'ebae'], { signal: abort.signal }),
      encoder.encode(texts, ['ebar', 'ebae']),
    ]
    abort.abort()
    const settled = await Promise.allSettled(calls)
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(settled.slice(1)).toMatchObject([
      { reason: { code: 'ABORTED' } },
      { reason: { code: 'OVERLOADED' } },
    ])
    expect(await encoder.stats()).toMatchObject({
      waitingTexts: { interactive: 0, bulk: 0 },
      waitingTokens: 0,
    })
  })

  test('many calls at once each get their own rows', async () => {
    const encoder = await sharingNarrow()
    const expected = await encoder.encode(MIXED, ['ebae'])
    const results = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        encoder.encode([MIXED[i % MIXED.length]!], ['ebae'], { lane: i % 2 ? 'bulk' : 'interactive' }),
      ),
    )
    results.forEach(({ vectors }, i) => {
      expectSame(vectors.ebae, [expected.vectors.ebae[i % MIXED.length]!])
    })
  })

  test('counts what it ran', async () => {
    const encoder = await sharing()
    for (const prompts of [['ebar'], ['ebae', 'ebar']] satisfies Prompt[][]) {
      const before = await encoder.stats()
      const { tokens } = await encoder.encode(MIXED, prompts)
      const load = await encoder.stats()
      const ran = load.tokens - before.tokens
      expect(ran).toBe(tokens.reduce((sum, n) => sum + n))
      expect(load.paddedTokens - before.paddedTokens).toBeGreaterThanOrEqual(ran)
      expect(load.batches).toBeGreaterThan(before.batches)
    }
  })

  test('closing rejects what waits and what comes, and may be repeated', async () => {
    const encoder = await open({ batchTokensMax: ONE_ROW })
    const waiting = encoder.encode(new Array(2000).fill('leaves turn red'), ['ebae'])
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    const deaths: unknown[] = []
    encoder.onDeath((error) => deaths.push(error))
    const closing = encoder.close()
    await expect(encoder.encode(['x'], ['ebar'])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(encoder.encode([], ['ebar'])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await closing
    await outcome
    await encoder.close()
    // An end that was asked for is no death.
    expect(deaths).toEqual([])
  })
}
