import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { named } from '../index/documents.ts'
import { scratchFolder } from '../index/scratch.ts'
import { openCollections } from './open.ts'

const own = { dimensions: 2, settings: {} }
const X = Float32Array.of(1, 0)

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const late = Symbol('late')
  const settled = promise.then(
    () => undefined,
    () => undefined,
  )
  return (await Promise.race([settled, sleep(100, late)])) !== late
}

test('many who ask for one collection at once get the same, opened once', async () => {
  const { collections } = await openCollections(await scratchFolder())
  await collections.create('a', own)
  const leases = await Promise.all(Array.from({ length: 20 }, () => collections.lease('a')))
  expect(new Set(leases.map(({ retrieval }) => retrieval.index)).size).toBe(1)
  for (const { release } of leases) release()
})

test('what is in use stays open; another one waits for its turn, or gives up', async () => {
  const { collections } = await openCollections(await scratchFolder(), { collectionsOpenMax: 2 })
  for (const name of ['a', 'b', 'c']) await collections.create(name, own)
  const [a, b] = [await collections.lease('a'), await collections.lease('b')]
  const late = new AbortController()
  const impatient = collections.lease('c', { signal: late.signal })
  const patient = collections.lease('c')
  expect(await isSettled(Promise.race([impatient, patient]))).toBe(false)
  late.abort()
  await expect(impatient).rejects.toMatchObject({ code: 'ABORTED' })
  await a.retrieval.index.upsert([named('x', X)])
  b.release()
  b.release()
  const c = await patient
  expect(await c.retrieval.index.count()).toBe(0)
  // Of those in use none was closed.
  expect(await a.retrieval.index.count()).toBe(1)
  await expect(b.retrieval.index.count()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('the one that is longest without a request is closed first', async () => {
  const { collections } = await openCollections(await scratchFolder(), { collectionsOpenMax: 2 })
  for (const name of ['a', 'b', 'c']) await collections.create(name, own)
  const once = async (name: string) => {
    const lease = await collections.lease(name)
    lease.release()
    return lease.retrieval.index
  }
  const [a, b] = [await once('a'), await once('b')]
  await once('a')
  await once('c')
  await expect(b.count()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(await a.count()).toBe(0)
})

test('vectors beyond their memory close what is not in use', async () => {
  const settings = { collectionVectorBytesMax: 1024 * 1024 }
  const { collections } = await openCollections(await scratchFolder(), settings)
  const dimensions = 4096
  for (const name of ['a', 'b', 'c']) await collections.create(name, { dimensions, settings: {} })
  const fill = async (name: string) => {
    const lease = await collections.lease(name)
    const vector = new Float32Array(dimensions).fill(1)
    await lease.retrieval.index.upsert(Array.from({ length: 50 }, (_, i) => named(`d${i}`, vector)))
    return lease
  }
  const [a, b] = [await fill('a'), await fill('b')]
  a.release()
  // Opening another one is when it is looked at.
  ;(await collections.lease('c')).release()
  await expect.poll(() => a.retrieval.index.count().catch(({ code }) => code)).toBe('UNAVAILABLE')
  expect(await b.retrieval.index.count()).toBe(50)
})

test('a drop waits for those who have the collection, and nobody gets it meanwhile', async () => {
  const { collections } = await openCollections(await scratchFolder())
  await collections.create('a', own)
  const lease = await collections.lease('a')
  const given = new AbortController()
  const abandoned = collections.drop('a', { signal: given.signal })
  await expect(collections.lease('a')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  given.abort()
  await expect(abandoned).rejects.toMatchObject({ code: 'ABORTED' })
  ;(await collections.lease('a')).release()
  const dropped = collections.drop('a', {})
  expect(await isSettled(dropped)).toBe(false)
  await expect(collections.setAlias('live', 'a')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await lease.retrieval.index.upsert([named('x', X)])
  lease.release()
  await dropped
  expect(collections.names()).toEqual(['default'])
})

test('a collection of another model is read and searched by vector, and refuses texts', async () => {
  const dataDir = await scratchFolder()
  const { collections, engine } = await openCollections(dataDir)
  const settings = collections.default.index.settings
  await engine.create('old', { dimensions: 2, fingerprint: 'model-of-before' }, settings)
  const { collections: again } = await (async () => {
    await collections.close()
    await engine.close()
    return openCollections(dataDir)
  })()
  expect(await again.info('old')).toMatchObject({ vectors: 'other_model', dimensions: 2 })
  const { retrieval, release } = await again.lease('old')
  await retrieval.index.upsert([named('x', X)])
  expect((await retrieval.index.search([{ vector: X }], 1))[0]?.hits[0]?.id).toBe('x')
  await expect(retrieval.encoder.encode(['text'], ['ebar'])).rejects.toMatchObject({ code: 'OTHER_MODEL' })
  release()
})
