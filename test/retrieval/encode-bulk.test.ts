import { expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { encodeInWindows, retryWhenOverloaded } from '../../src/retrieval/encode-bulk.ts'

const overloaded = () => new ServiceError('OVERLOADED', 'full', { retryAfterMs: 1 })
const nameOf = (index: number) => `texts[${index}]`

test('windows come back in order, two at once at most', async () => {
  let open = 0
  let most = 0
  const texts = Array.from({ length: 23 }, (_, i) => String(i))
  const results = await encodeInWindows(texts, 5, undefined, nameOf, async (part) => {
    most = Math.max(most, ++open)
    await new Promise((resolve) => setTimeout(resolve, Number(part[0]) % 3))
    open--
    return part
  })
  expect(results.flat()).toEqual(texts)
  expect(results.map((part) => part.length)).toEqual([5, 5, 5, 5, 3])
  expect(most).toBe(2)
})

test('the first refusal goes to the caller, later ones wait', async () => {
  const refuse = async () => {
    throw overloaded()
  }
  await expect(encodeInWindows(['a', 'b'], 1, undefined, nameOf, refuse)).rejects.toMatchObject({
    code: 'OVERLOADED',
  })
  let refusals = 3
  const results = await encodeInWindows(['a', 'b'], 1, undefined, nameOf, async (part) => {
    if (part[0] === 'b' && refusals-- > 0) throw overloaded()
    return part[0]
  })
  expect(results).toEqual(['a', 'b'])
})

test('a failure gives up the other windows', async () => {
  const signals: AbortSignal[] = []
  const failing = encodeInWindows(['a', 'b', 'c'], 1, undefined, nameOf, async ([text], { signal }) => {
    signals.push(signal!)
    if (text === 'b') throw new ServiceError('INTERNAL', 'broken')
    await new Promise((resolve) => signal!.addEventListener('abort', resolve))
    return text
  })
  await expect(failing).rejects.toMatchObject({ message: 'broken' })
  expect(signals).toHaveLength(2)
  expect(signals.every(({ aborted }) => aborted)).toBe(true)
})

test('waiting for room ends with the caller', async () => {
  const controller = new AbortController()
  const waiting = retryWhenOverloaded(async () => {
    throw new ServiceError('OVERLOADED', 'full', { retryAfterMs: 600_000 })
  }, controller.signal)
  setImmediate(() => controller.abort())
  await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' })
})
