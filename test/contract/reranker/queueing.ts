import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Bench, expectSame, MIXED, ONE_ROW, QUERY } from './bench.ts'

/** Lanes, full queues, aborts and the end. */
export function queueing({ sharing, sharingNarrow, open }: Bench): void {
  test('an aborted call costs no batch', async () => {
    const reranker = await sharingNarrow()
    const { batches } = await reranker.stats()
    const before = { signal: AbortSignal.abort() }
    await expect(reranker.score(QUERY, ['x'], before)).rejects.toMatchObject({ code: 'ABORTED' })
    const first = reranker.score(QUERY, new Array(40).fill('leaves turn red'))
    const later = new AbortController()
    const second = reranker.score(QUERY, new Array(20).fill('x'), { signal: later.signal })
    later.abort()
    await expect(second).rejects.toMatchObject({ code: 'ABORTED' })
    await first
    const stats = await reranker.stats()
    expect(stats.batches - batches).toBe(40)
    expect(stats).toMatchObject({ waitingTexts: { interactive: 0, bulk: 0 }, waitingTokens: 0 })
  })

  test('an interactive call overtakes bulk work', async () => {
    const reranker = await sharingNarrow()
    const { batches } = await reranker.stats()
    const order: string[] = []
    const bulk = reranker.score(QUERY, new Array(100).fill('leaves turn red'), { lane: 'bulk' }).then(() => {
      order.push('bulk')
    })
    while ((await reranker.stats()).batches === batches) await sleep(1)
    await reranker.score(QUERY, ['x'])
    order.push('interactive')
    await bulk
    expect(order).toEqual(['interactive', 'bulk'])
  })

  test('a full queue refuses at once, says when to come back, and drains', async () => {
    const reranker = await sharingNarrow()
    const texts = new Array(60).fill('leaves turn red')
    const outcomes = Array.from({ length: 6 }, () => reranker.score(QUERY, texts))
    expect((await reranker.stats()).waitingTexts.interactive).toBeLessThanOrEqual(100)
    const settled = await Promise.allSettled(outcomes)
    expect(settled[0]).toMatchObject({ status: 'fulfilled' })
    const refused = settled.filter((outcome) => outcome.status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    for (const { reason } of refused) {
      expect(reason).toMatchObject({ code: 'OVERLOADED', details: { lane: 'interactive' } })
      expect(reason.details.retryAfterMs).toBeGreaterThan(0)
      expect(reason.message).toContain(`The reranker queue is full; try again in`)
    }
    expect((await reranker.score(QUERY, texts)).scores).toHaveLength(60)
    expect(await reranker.stats()).toMatchObject({ waitingTexts: { interactive: 0 }, waitingTokens: 0 })
  })

  test('a call larger than the queue is refused for good', async () => {
    const reranker = await sharingNarrow()
    await expect(reranker.score(QUERY, new Array(101).fill('x'))).rejects.toMatchObject({
      code: 'TOO_LARGE',
      details: { limit: 100 },
    })
    expect(await reranker.stats()).toMatchObject({ waitingTexts: { interactive: 0 }, waitingTokens: 0 })
  })

  test('a client that has its share in the queue is refused, and another is not', async () => {
    const reranker = await sharingNarrow()
    const texts = new Array(50).fill('leaves turn red')
    const first = reranker.score(QUERY, texts, { client: 'a' })
    await expect(reranker.score(QUERY, texts, { client: 'a' })).rejects.toMatchObject({ code: 'OVERLOADED' })
    expect((await reranker.score(QUERY, ['x'], { client: 'b' })).scores).toHaveLength(1)
    expect((await first).scores).toHaveLength(50)
  })

  test('counts what it ran', async () => {
    const reranker = await sharing()
    const before = await reranker.stats()
    const { tokens } = await reranker.score(QUERY, MIXED)
    const after = await reranker.stats()
    expect(after.tokens - before.tokens).toBe(tokens.reduce((sum, n) => sum + n))
    expect(after.paddedTokens - before.paddedTokens).toBeGreaterThanOrEqual(after.tokens - before.tokens)
    expect(after.batches).toBeGreaterThan(before.batches)
  })

  test('closing rejects what waits and what comes, and may be repeated', async () => {
    const reranker = await open({ batchTokensMax: ONE_ROW })
    const expected = await reranker.score(QUERY, MIXED)
    expectSame((await reranker.score(QUERY, MIXED)).scores, expected.scores)
    const waiting = reranker.score(QUERY, new Array(500).fill('leaves turn red'))
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    const deaths: unknown[] = []
    reranker.onDeath((error) => deaths.push(error))
    const closing = reranker.close()
    const closed = { code: 'UNAVAILABLE', message: 'The reranker is closed.' }
    await expect(reranker.score(QUERY, ['x'])).rejects.toMatchObject(closed)
    await expect(reranker.score(QUERY, [])).rejects.toMatchObject(closed)
    await closing
    await outcome
    await reranker.close()
    // An end that was asked for is no death.
    expect(deaths).toEqual([])
  })
}
