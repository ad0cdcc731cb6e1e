import { expect, test } from 'vitest'
import { ServiceError } from '../../../src/errors.ts'
import { search } from '../../../src/retrieval/search/search.ts'
import { openLibrary, watched } from './library.ts'

const target = { kind: 'texts', texts: ['shared'], task: 'retrieval', field: 'query' } as const
const request = { target, mode: 'hybrid', k: 3, options: {} } as const
const broken = new ServiceError('STORE_UNUSABLE', 'It is broken.')

test('words are looked for before the model has read the query, vectors after', async () => {
  const retrieval = await openLibrary(3)
  const order: string[] = []
  const index = watched(retrieval.index, async (leg) => {
    if (leg === 'lexical') return void order.push(leg)
    const { tokens } = await retrieval.encoder.stats()
    order.push(`${leg} after ${tokens - before} tokens`)
  })
  const before = (await retrieval.encoder.stats()).tokens
  const { timings } = await search({ ...retrieval, index }, request)
  const read = (await retrieval.encoder.stats()).tokens - before
  expect(order).toEqual(['lexical', `dense after ${read} tokens`])
  expect(read).toBeGreaterThan(0)
  expect(timings.total).toBeGreaterThan(timings.inference)
})

test.each(['dense', 'lexical'] as const)(
  'a %s leg that fails fails the search and ends the other',
  async (bad) => {
    const retrieval = await openLibrary(3)
    let other: AbortSignal | undefined
    let ask = () => {}
    const bothAsked = new Promise<void>((resolve) => {
      ask = resolve
    })
    const index = watched(retrieval.index, async (leg, signal) => {
      if (leg === bad) {
        await bothAsked
        throw broken
      }
      other = signal
      ask()
      // It would go on for ever.
      await new Promise<void>((resolve) => signal!.addEventListener('abort', () => resolve()))
    })
    await expect(search({ ...retrieval, index }, request)).rejects.toBe(broken)
    expect(other?.aborted).toBe(true)
  },
)

test('giving up reaches both legs', async () => {
  const retrieval = await openLibrary(3)
  const caller = new AbortController()
  const reached: string[] = []
  let asked = 0
  const index = watched(retrieval.index, async (leg, signal) => {
    const aborted = new Promise<void>((resolve) => signal!.addEventListener('abort', () => resolve()))
    if (++asked === 2) caller.abort()
    await aborted
    reached.push(leg)
  })
  const searching = search({ ...retrieval, index }, { ...request, options: { signal: caller.signal } })
  await expect(searching).rejects.toMatchObject({ code: 'ABORTED' })
  await expect.poll(() => reached.sort()).toEqual(['dense', 'lexical'])
})

test('the model is not asked for a search by words', async () => {
  const retrieval = await openLibrary(3)
  const before = (await retrieval.encoder.stats()).tokens
  const { batches } = await search(retrieval, { ...request, mode: 'lexical' })
  expect(batches[0]!.hits).toHaveLength(3)
  expect((await retrieval.encoder.stats()).tokens).toBe(before)
})
