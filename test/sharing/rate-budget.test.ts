import { expect, test } from 'vitest'
import { RateBudget } from '../../src/sharing/rate-budget.ts'

function open(perMinute: number) {
  const clock = { ms: 5_000_000 }
  return { clock, budget: new RateBudget(perMinute, () => clock.ms) }
}

test("a minute's worth may be spent at once, and comes back evenly", () => {
  const { clock, budget } = open(60)
  for (let spent = 0; spent < 60; spent++) {
    expect(budget.remaining('a')).toBe(60 - spent)
    budget.spend('a', 1)
  }
  expect(budget.remaining('a')).toBe(0)
  expect(budget.oneInMs('a')).toBe(1000)
  clock.ms += 1000
  expect(budget.remaining('a')).toBe(1)
  clock.ms += 29_000
  expect(budget.remaining('a')).toBe(30)
  clock.ms += 3_600_000
  expect(budget.remaining('a')).toBe(60)
})

test.each([1, 7, 13, 100, 333_333])(
  'who waits as long as was said may spend one: %i a minute',
  (perMinute) => {
    const { clock, budget } = open(perMinute)
    budget.spend('a', perMinute)
    for (let i = 0; i < 50; i++) {
      clock.ms += budget.oneInMs('a')
      expect(budget.remaining('a')).toBeGreaterThanOrEqual(1)
      budget.spend('a', 1)
    }
  },
)

test('a debt has to come back before anything can be spent', () => {
  const { clock, budget } = open(1000)
  budget.spend('a', 3000)
  expect(budget.remaining('a')).toBe(0)
  expect(budget.wholeInMs('a')).toBe(180_000)
  clock.ms += 119_000
  expect(budget.remaining('a')).toBe(0)
  clock.ms += 2000
  expect(budget.remaining('a')).toBeGreaterThanOrEqual(1)
})

test("one client's spending is not another's, however many there are", () => {
  const { clock, budget } = open(10)
  budget.spend('a', 10)
  for (let i = 0; i < 10_000; i++) {
    budget.spend(`other ${i}`, 1)
    clock.ms += 1
  }
  expect(budget.remaining('b')).toBe(10)
  expect(budget.remaining('other 9999')).toBe(9)
  expect(budget.remaining('a')).toBeLessThan(10)
})
