import { describe, expect, test } from 'vitest'
import { BatchCost } from '../../src/inference/batch-cost.ts'
import type { Lane } from '../../src/inference/lane.ts'
import { RowQueue } from '../../src/inference/row-queue.ts'
import { type ScheduledRow, Scheduler } from '../../src/inference/scheduler.ts'

let sequence = 0
const row = (length: number, changes: Partial<ScheduledRow> = {}): ScheduledRow => ({
  length,
  sequence: sequence++,
  lane: 'bulk',
  kind: 1,
  submittedAt: 0,
  ...changes,
})

const lengths = (rows: readonly { length: number }[]) => rows.map(({ length }) => length)

describe('row queue', () => {
  const filled = (...of: number[]) => {
    const queue = new RowQueue<ScheduledRow>()
    for (const length of of) queue.push(row(length))
    return queue
  }

  test('gathers the rows nearest in length to the one waiting longest', () => {
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
    for (const each of rows) queue.push(each)
    const removed = queue.remove(({ length }) => length === 50)
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
  const scheduler = (msPerToken = 0.1) => {
    const cost = new BatchCost()
    cost.observe(10, 100, 1000 * msPerToken)
    return new Scheduler<ScheduledRow>({ batchTokensMax: 2000, bulkBatchMsMax: 100 }, cost)
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

  test('a long streak of searches gives bulk work one turn, and none waits for two bulk batches', () => {
    const lanes = scheduler()
    push(lanes, 100, 'bulk')
    // One row a batch.
    push(lanes, 40, 'interactive', { length: 2000, submittedAt: 0 })
    const ran = Array.from({ length: 42 }, (_, clock) => {
      const { lane } = lanes.take(false)[0]!
      lanes.batchEnded(lane, clock)
      return lane
    })
    const bulkTurns = ran.flatMap((lane, turn) => (lane === 'bulk' ? [turn] : []))
    expect(bulkTurns).toEqual([8, 41])
  })

  test('a steady stream of searches cannot stop bulk work', () => {
    const lanes = scheduler()
    push(lanes, 200, 'bulk')
    let bulkTurns = 0
    for (let clock = 0; clock < 100; clock++) {
      lanes.push(row(20, { lane: 'interactive', submittedAt: clock + 0.5 }))
      const { lane } = lanes.take(false)[0]!
      lanes.batchEnded(lane, clock + 1)
      if (lane === 'bulk') bulkTurns++
    }
    expect(bulkTurns).toBeGreaterThan(5)
    expect(bulkTurns).toBeLessThan(20)
  })
})
