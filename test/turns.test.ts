import { expect, test } from 'vitest'
import { turn } from '../src/turns.ts'

const workFor = (ms: number) => {
  for (const end = performance.now() + ms; performance.now() < end; );
}

test('a loop that works for long lets the event loop turn', async () => {
  let turns = 0
  const count = () => {
    turns++
    timer = setImmediate(count)
  }
  let timer = setImmediate(count)
  for (let step = 0; step < 40; step++) {
    workFor(2)
    await turn()
  }
  clearImmediate(timer)
  // 80 ms of work: every step yields at the latest when 5 ms are over.
  expect(turns).toBeGreaterThanOrEqual(10)
})

test('of many long loops one goes on in each turn of the event loop, in order', async () => {
  const seen: { loop: number; turn: number }[] = []
  let turns = 0
  const count = () => {
    turns++
    timer = setImmediate(count)
  }
  let timer = setImmediate(count)
  const loop = async (name: number) => {
    for (let step = 0; step < 3; step++) {
      workFor(6)
      await turn()
      seen.push({ loop: name, turn: turns })
    }
  }
  await Promise.all([loop(1), loop(2), loop(3)])
  clearImmediate(timer)
  expect(seen.map(({ loop: name }) => name)).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3])
  expect(new Set(seen.map((each) => each.turn)).size).toBe(seen.length)
})
