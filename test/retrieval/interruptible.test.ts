import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { interruptible } from '../../src/retrieval/interruptible.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

test('an abort does not wait for the next item', async () => {
  const abort = new AbortController()
  async function* slow() {
    yield 1
    await new Promise(() => {})
  }
  const seen: number[] = []
  const reading = (async () => {
    for await (const item of interruptible(slow(), abort.signal)) seen.push(item)
  })()
  await nextTurn()
  abort.abort()
  await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
  expect(seen).toEqual([1])
})

async function* numbers() {
  yield 1
}

test('a signal that has fired lets nothing through', async () => {
  const items = interruptible(numbers(), AbortSignal.abort())
  await expect(items.next()).rejects.toMatchObject({ code: 'ABORTED' })
})

test('items that have been read are let go while the stream goes on', async () => {
  const refs: WeakRef<object>[] = []
  async function* objects() {
    for (let i = 0; i < 50; i++) {
      const item = { i }
      refs.push(new WeakRef(item))
      yield item
    }
  }
  const items = interruptible(objects(), new AbortController().signal)
  for (let i = 0; i < 40; i++) await items.next()
  // A WeakRef holds its target until the turn in which it was made is over.
  await nextTurn()
  collectGarbage()
  const kept = refs.slice(0, 30).filter((ref) => ref.deref() !== undefined)
  expect(kept).toHaveLength(0)
  expect((await items.next()).done).toBe(false)
})
