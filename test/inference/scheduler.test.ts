import { describe, expect, test } from 'vitest'
import { BatchCost } from '../../src/inference/batch-cost.ts'
import type { Lane } from '../../src/inference/lane.ts'
import { RowQueue } from '../../src/inference/row-queue.ts'
import { type ScheduledRow, Scheduler } from '../../src/inference/scheduler.ts'

const row = (length: number, changes: Partial<ScheduledRow> = {}): ScheduledRow => ({
  length,
  lane: 'bulk',
  kind: 1,
  client: '',
  ...changes,
})

const lengths = (rows: readonly { length: number }[]) => rows.map(({ length }) => length)

describe('row queue', () => {
  const filled = (...of: number[]) => {
    const queue = new RowQueue<ScheduledRow>()
    for (const [turn, length] of of.entries()) queue.push(row(length), turn)
    return queue
  }

  test('gathers the rows nearest in length to the one whose turn it is', () => {
    const queue = filled(100, 500, 101, 9, 99, 480, 10)
    expect(lengths(queue.take((rows) => rows <= 3))).toEqual([99, 100, 101])
    expect(lengths(queue.take(() => true))).toEqual([480, 500])
    expect(lengths(queue.take(() => true))).toEqual([9, 10])
    expect(queue.take(() => true)).toEqual([])
  })

  test('keeps padding small, whatever the lengths', () => {
    const queue = filled(...Array.from({ length: 400 }, (_, i) => 5 + ((i * 7919) % 512)))
    let padded = 0
    let real = 0
    for (let batch = queue.take(() => true); batch.length > 0; batch = queue.take(() => true)) {
      padded += batch.length * Math.max(...lengths(batch))
      real += lengths(batch).reduce((sum, length) => sum + length)
    }
    expect(real).toBeGreaterThan(0.85 * padded)
  })

  test('takes one row even if it fits no limit', () => {
    expect(filled(1000).take(() => false)).toHaveLength(1)
  })

  test('no row is lost or taken twice', () => {
    const queue = new RowQueue<ScheduledRow>()
    const rows = Array.from({ length: 300 }, (_, i) => row(1 + ((i * 31) % 97)))
    for (const [turn, each] of rows.entries()) queue.push(each, turn)
    queue.remove(({ length }) => length === 50)
    const removed = rows.filter(({ length }) => length === 50)
    expect(queue.size).toBe(rows.length - removed.length)
    const taken: ScheduledRow[] = []
    while (queue.size > 0) taken.push(...queue.take((count, length) => count * length < 500))
    expect(new Set([...taken, ...removed])).toEqual(new Set(rows))
    expect(taken.length + removed.length).toBe(rows.length)
    expect(lengths(taken)).not.toContain(50)
  })
})

describe('batch cost', () => {
  test('knows nothing at first and then answers from the nearest length', () => {
    const cost = new BatchCost()
    expect(cost.msPerToken(128)).toBeUndefined()
    expect(cost.rowsWithin(100, 128)).toBe(1)
    cost.observe(4, 128, 51.2)
    expect(cost.msPerToken(128)).toBeCloseTo(0.1)
    expect(cost.rowsWithin(100, 100)).toBe(10)
    // Longer rows are taken to be dearer until one was seen.
    expect(cost.msPerToken(512)).toBeGreaterThan(0.1)
  })

  test('follows a machine that slows down, and small batches hardly count', () => {
    const cost = new BatchCost()
    for (let i = 0; i < 20; i++) cost.observe(8, 128, 102.4)
    for (let i = 0; i < 20; i++) cost.observe(1, 100, 30)
    expect(cost.msPerToken(128)).toBeLessThan(0.15)
    for (let i = 0; i < 100; i++) cost.observe(8, 128, 1024)
    expect(cost.msPerToken(128)).toBeGreaterThan(0.8)
  })
})

describe('scheduler', () => {
  const MS_PER_TOKEN = 0.1
  const scheduler = (bulkSharePercent = 20) => {
    const cost = new BatchCost()
    cost.observe(10, 100, 1000 * MS_PER_TOKEN)
    const limits = { batchTokensMax: 2000, bulkBatchMsMax: 100, bulkSharePercent }
    return new Scheduler<ScheduledRow>(limits, cost)
  }
  /** Runs a batch that takes as long as its padded tokens make it. */
  const run = (lanes: Scheduler<ScheduledRow>, coming = false) => {
    const rows = lanes.take(coming)
    const tokens = rows.length * Math.max(0, ...lengths(rows))
    if (rows.length > 0) lanes.batchEnded(rows[0]!.lane, tokens * MS_PER_TOKEN)
    return { rows, tokens, lane: rows[0]?.lane }
  }
  const push = (
    to: Scheduler<ScheduledRow>,
    count: number,
    lane: Lane,
    changes: Partial<ScheduledRow> = {},
  ) => {
    for (let i = 0; i < count; i++) to.push(row(100, { lane, ...changes }))
  }

  test('bulk batches keep to the time target, interactive ones to the token budget', () => {
    const lanes = scheduler()
    push(lanes, 50, 'bulk')
    push(lanes, 50, 'interactive')
    expect(lanes.take(false)).toHaveLength(20)
    lanes.remove(({ lane }) => lane === 'interactive')
    expect(lanes.take(false)).toHaveLength(10)
  })

  test('interactive batches keep to a time target where there is one, and have at least one row', () => {
    const cost = new BatchCost()
    cost.observe(10, 100, 1000 * MS_PER_TOKEN)
    const limits = { batchTokensMax: 2000, bulkBatchMsMax: 100, bulkSharePercent: 20 }
    for (const [interactiveBatchMsMax, rows] of [
      [50, 5],
      [1, 1],
      [1000, 20],
    ] as const) {
      const lanes = new Scheduler<ScheduledRow>({ ...limits, interactiveBatchMsMax }, cost)
      push(lanes, 50, 'interactive')
      expect(lanes.take(false)).toHaveLength(rows)
    }
  })

  test('interactive rows run before any bulk row that waits', () => {
    const lanes = scheduler()
    push(lanes, 30, 'bulk')
    push(lanes, 1, 'interactive')
    expect(lanes.take(false).map(({ lane }) => lane)).toEqual(['interactive'])
    expect(lanes.take(false)[0]!.lane).toBe('bulk')
  })

  test('no bulk batch starts while interactive texts are being tokenised', () => {
    const lanes = scheduler()
    push(lanes, 30, 'bulk')
    expect(lanes.take(true)).toEqual([])
    push(lanes, 1, 'interactive')
    expect(lanes.take(true)).toHaveLength(1)
  })

  test('rows of two kinds never share a batch; the older kind goes first', () => {
    const lanes = scheduler()
    push(lanes, 2, 'bulk', { kind: 2 })
    push(lanes, 2, 'bulk')
    expect(lanes.take(false).map(({ kind }) => kind)).toEqual([2, 2])
    expect(lanes.take(false).map(({ kind }) => kind)).toEqual([1, 1])
  })

  test.each([
    [0, 0],
    [20, 0.2],
    [50, 0.5],
  ])('of endless work in both lanes, %i %% is for bulk', (percent, share) => {
    const lanes = scheduler(percent)
    push(lanes, 2000, 'bulk')
    const ran = { interactive: 0, bulk: 0 }
    let behindBulk = 0
    for (let batch = 0, bulkInARow = 0; batch < 200; batch++) {
      push(lanes, 30, 'interactive')
      const { lane, tokens } = run(lanes)
      ran[lane!] += tokens
      bulkInARow = lane === 'bulk' ? bulkInARow + 1 : 0
      behindBulk = Math.max(behindBulk, bulkInARow)
    }
    expect(ran.bulk / (ran.bulk + ran.interactive)).toBeCloseTo(share, 1)
    expect(behindBulk).toBeLessThanOrEqual(percent === 50 ? 2 : 1)
  })

  test('bulk work that gets its share in the gaps is never let in front', () => {
    const lanes = scheduler()
    push(lanes, 2000, 'bulk')
    for (let round = 0; round < 100; round++) {
      push(lanes, 1, 'interactive')
      expect(run(lanes).lane).toBe('interactive')
      expect(run(lanes).lane).toBe('bulk')
    }
  })

  test('bulk work that is due does not wait for texts that are being tokenised', () => {
    const lanes = scheduler()
    push(lanes, 100, 'bulk')
    push(lanes, 100, 'interactive')
    while (run(lanes).lane === 'interactive');
    push(lanes, 100, 'interactive')
    for (let batch = 0; batch < 2; batch++) run(lanes)
    lanes.remove(({ lane }) => lane === 'interactive')
    expect(run(lanes, true).lane).toBe('bulk')
    expect(run(lanes, true).rows).toEqual([])
  })

  test.each(['interactive', 'bulk'] as const)('clients take turns in the %s lane', (lane) => {
    const lanes = scheduler()
    push(lanes, 1000, lane, { client: 'greedy' })
    run(lanes)
    push(lanes, 10, lane, { client: 'modest' })
    push(lanes, 1000, lane, { client: 'greedy' })
    const first = [run(lanes), run(lanes)].flatMap(({ rows }) => rows)
    expect(first.filter(({ client }) => client === 'modest').length).toBeGreaterThanOrEqual(1)
    // Its ten rows are through when the greedy one has had about as much.
    let modest = 10 - first.filter(({ client }) => client === 'modest').length
    let greedy = 0
    while (modest > 0) {
      const { rows } = run(lanes)
      const own = rows.filter(({ client }) => client === 'modest').length
      modest -= own
      greedy += rows.length - own
    }
    expect(greedy).toBeLessThan(200)
  })

  test('work that was given up does not count against its client', () => {
    const lanes = scheduler()
    push(lanes, 1000, 'bulk', { client: 'once' })
    lanes.remove(({ client }) => client === 'once')
    push(lanes, 20, 'bulk', { client: 'once' })
    push(lanes, 20, 'bulk', { client: 'other', length: 50 })
    expect(run(lanes).rows[0]!.client).toBe('once')
  })
})
