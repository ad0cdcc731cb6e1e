import { expect, test } from 'vitest'
import { GuessBrake } from '../../../src/http/guards/guess-brake.ts'

const MINUTE = 60_000

function brake(limits: Partial<ConstructorParameters<typeof GuessBrake>[0]> = {}) {
  const clock = { ms: 0 }
  const made = new GuessBrake(
    { authFailuresMax: 3, authBlockMsMax: 10_000, authAddressesMax: 4, ...limits },
    () => clock.ms,
  )
  const failures = (count: number, address = 'a') => Array.from({ length: count }, () => made.failed(address))
  return { clock, made, failures }
}

test('past the failures of a minute each further one blocks twice as long, up to the longest', () => {
  const { clock, made, failures } = brake()
  expect(failures(3)).toEqual([0, 0, 0])
  for (const expected of [1000, 2000, 4000, 8000, 10_000, 10_000]) {
    expect(made.failed('a')).toBe(expected)
    expect(made.blockedMs('a')).toBe(expected)
    clock.ms += expected
    expect(made.blockedMs('a')).toBe(0)
  }
  expect(made.blockedMs('b')).toBe(0)
})

test('failures within the rate never block', () => {
  const { clock, made } = brake()
  for (let i = 0; i < 1000; i++) {
    expect(made.failed('a')).toBe(0)
    clock.ms += MINUTE / 3
  }
})

test('a quiet minute forgives', () => {
  const { clock, failures, made } = brake()
  expect(failures(4)).toEqual([0, 0, 0, 1000])
  clock.ms += 1000 + MINUTE - 1
  expect(made.failed('a')).toBe(2000)
  clock.ms += 2000 + MINUTE
  expect(failures(4)).toEqual([0, 0, 0, 1000])
})

test('keys that worked are known by address, the last 64 of them', () => {
  const { made } = brake()
  for (let i = 0; i < 65; i++) made.worked('a', `key ${i}`)
  expect(made.hasWorked('a', 'key 64')).toBe(true)
  expect(made.hasWorked('a', 'key 0')).toBe(false)
  expect(made.hasWorked('b', 'key 64')).toBe(false)
})

test('no more addresses are remembered than allowed; who asks again stays', () => {
  const { made, failures } = brake()
  failures(4, 'guesser')
  for (let i = 0; i < 1000; i++) {
    made.failed(`other ${i}`)
    if (i % 2 === 0) made.mayLog('guesser')
    expect(made.size).toBeLessThanOrEqual(4)
  }
  expect(made.blockedMs('guesser')).toBe(1000)
})

test('so many refusals a minute are logged, then none', () => {
  const { clock, made } = brake()
  const logged = () => Array.from({ length: 50 }, () => made.mayLog('a')).filter(Boolean).length
  expect(logged()).toBe(3)
  clock.ms += MINUTE
  expect(logged()).toBe(3)
})
