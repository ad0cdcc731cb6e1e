import { describe, expect, it } from 'vitest'
import { CooperativeScheduler, Mutex } from '../../src/index/embedded/cooperative-scheduler.ts'

describe('the turns of a cooperative scheduler', () => {
  it('go to the most urgent, but pass nobody over for ever', async () => {
    const turns = new CooperativeScheduler(10)
    const order: string[] = []
    const take = async (priority: 'interactive' | 'write' | 'upkeep', times: number) => {
      for (let i = 0; i < times; i++) {
        await turns.next(priority)
        order.push(priority)
      }
    }
    await Promise.all([take('upkeep', 2), take('write', 5), take('interactive', 60)])
    expect(order[0]).toBe('interactive')
    const writes = order.flatMap((priority, i) => (priority === 'write' ? [i] : []))
    expect(writes[0]).toBeLessThanOrEqual(9)
    for (const [i, at] of writes.entries()) expect(at - (writes[i - 1] ?? 0)).toBeLessThanOrEqual(10)
    expect(order.indexOf('upkeep')).toBeLessThanOrEqual(10)
    expect(order.filter((priority) => priority === 'interactive')).toHaveLength(60)
  })

  it('let the event loop run between two of them', async () => {
    const turns = new CooperativeScheduler(10)
    let seen = false
    setImmediate(() => {
      seen = true
    })
    await turns.next('write')
    await turns.next('write')
    expect(seen).toBe(true)
  })
})

describe('a mutex', () => {
  it('runs one after another, past failures', async () => {
    const mutex = new Mutex()
    const log: string[] = []
    const work = (name: string, fail = false) =>
      mutex.run(async () => {
        log.push(`${name} begins`)
        await new Promise((resolve) => setImmediate(resolve))
        log.push(`${name} ends`)
        if (fail) throw new Error(name)
      })
    const results = await Promise.allSettled([work('a'), work('b', true), work('c')])
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })
})
