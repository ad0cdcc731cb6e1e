import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import type { ServiceError } from '../../src/errors.ts'
import { type CollectionSettings, FIRST_SETTINGS } from '../../src/index/collection-settings.ts'
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION, type IndexNotice } from '../../src/index/index-engine.ts'
import { named } from './documents.ts'
import { clusteredDocuments, Random } from './random.ts'
import { countOf, DIMENSIONS, IDENTITY, scratchFolder, searchVectors } from './scratch.ts'

async function start(dataDir: string, onNotice: (notice: IndexNotice) => void = () => {}) {
  const engine = await startEmbeddedEngine({ dataDir, onNotice })
  onTestFinished(() => engine.close())
  return engine
}

test('collections of one engine share a thread and know nothing of each other', async () => {
  const workers: Worker[] = []
  const remember = (worker: Worker) => workers.push(worker)
  process.on('worker', remember)
  const dataDir = await scratchFolder()
  const engine = await start(dataDir)
  const [first, second] = [
    await engine.open(DEFAULT_COLLECTION, IDENTITY),
    await engine.open('b-2', { dimensions: 2, fingerprint: 'model-b' }),
  ]
  process.off('worker', remember)
  expect(workers).toHaveLength(1)
  const random = new Random(1)
  const x = random.unitVector(DIMENSIONS)
  await Promise.all([
    first.upsert([named('same', x, { n: 1 })]),
    second.upsert([named('same', Float32Array.of(0, 1), { n: 2 }), named('more', Float32Array.of(1, 0))]),
  ])
  expect((await first.get(['same']))[0]?.metadata).toEqual({ n: 1 })
  expect((await second.get(['same']))[0]?.metadata).toEqual({ n: 2 })
  expect((await searchVectors(first, [x], 9))[0]?.hits.map(({ id }) => id)).toEqual(['same'])
  expect(await second.remove({ ids: ['same'] })).toEqual({ removed: 1 })
  expect([await countOf(first), await countOf(second)]).toEqual([1, 1])
  await engine.close()
  const again = await start(dataDir)
  expect(await countOf(await again.open('b-2', { dimensions: 2, fingerprint: 'model-b' }))).toBe(1)
  expect(await countOf(await again.open(DEFAULT_COLLECTION, IDENTITY))).toBe(1)
})

test('one collection closes, and opens again, while the others go on', async () => {
  const engine = await start(await scratchFolder())
  const kept = await engine.open('kept', IDENTITY)
  const closing = await engine.open('closing', IDENTITY)
  await closing.upsert(clusteredDocuments(new Random(2), 50, DIMENSIONS))
  await closing.close()
  await expect(closing.stats()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await kept.upsert([named('a', new Random(3).unitVector(DIMENSIONS))])
  expect(await countOf(kept)).toBe(1)
  const again = await engine.open('closing', IDENTITY)
  expect(await countOf(again)).toBe(50)
})

test('a collection is open once, and only under a name that can be a folder', async () => {
  const dataDir = await scratchFolder()
  const engine = await start(dataDir)
  await engine.open('one', IDENTITY)
  await expect(engine.open('one', IDENTITY)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  const both = await Promise.allSettled([engine.open('two', IDENTITY), engine.open('two', IDENTITY)])
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  for (const name of ['', '..', 'a/b', 'A', 'a b', '-a', 'x'.repeat(65), 'ä']) {
    await expect(engine.open(name, IDENTITY)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  }
  expect(existsSync(join(dataDir, 'collections', 'one', 'store.sqlite'))).toBe(true)
})

test('a collection of another model is refused, and the others are served', async () => {
  const dataDir = await scratchFolder()
  const engine = await start(dataDir)
  await (await engine.open('old', IDENTITY)).close()
  const other = { ...IDENTITY, fingerprint: 'model-b' }
  await expect(engine.open('old', other)).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
  expect(await countOf(await engine.open('old', IDENTITY))).toBe(0)
})

test('notices name the collection that they are about', async () => {
  const notices: IndexNotice[] = []
  const engine = await start(await scratchFolder(), (notice) => notices.push(notice))
  const index = await engine.open('told', IDENTITY)
  await index.upsert(clusteredDocuments(new Random(4), 10, DIMENSIONS))
  await index.close()
  await engine.open('told', IDENTITY)
  expect(notices.map(({ collection, kind }) => [collection, kind])).toEqual([
    ['told', 'graph-saved'],
    ['told', 'graph-loaded'],
  ])
})

test('a death of the thread reaches every collection and the engine', async () => {
  const workers: Worker[] = []
  const remember = (worker: Worker) => workers.push(worker)
  process.on('worker', remember)
  const engine = await start(await scratchFolder())
  process.off('worker', remember)
  const [one, two] = [await engine.open('one', IDENTITY), await engine.open('two', IDENTITY)]
  const deaths: ServiceError[] = []
  for (const part of [engine, one, two]) part.onDeath((error) => deaths.push(error))
  await workers[0]!.terminate()
  await expect.poll(() => deaths.length).toBe(3)
  await expect(two.stats()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await one.close()
})

test('a search or a write whose caller gives up stops in the engine', async () => {
  const engine = await start(await scratchFolder())
  const index = await engine.open('aborted', IDENTITY)
  const random = new Random(5)
  await index.upsert(clusteredDocuments(random, 3000, DIMENSIONS))
  // Long enough that the abort arrives in its middle: many probes, every passage scored for each.
  const probes = Array.from({ length: 2000 }, () => random.unitVector(DIMENSIONS))
  const searching = new AbortController()
  const search = searchVectors(index, probes, 10, { tuning: { exact: true }, signal: searching.signal })
  const writing = new AbortController()
  const late = clusteredDocuments(random, 3000, DIMENSIONS).map(({ document, passages }) => {
    return { document: { ...document, id: `late-${document.id}` }, passages }
  })
  const write = index.upsert(late, { signal: writing.signal })
  const outcomes = Promise.allSettled([search, write])
  await index.get(['d0'])
  searching.abort()
  writing.abort()
  expect(await outcomes).toMatchObject([
    { status: 'rejected', reason: { code: 'ABORTED' } },
    { status: 'rejected', reason: { code: 'ABORTED' } },
  ])
  expect(await countOf(index)).toBe(3000)
  expect((await index.scan({ limit: 5000 })).documents).toHaveLength(3000)
})

test('a collection keeps the settings that it was created with', async () => {
  const dataDir = await scratchFolder()
  const settings: CollectionSettings = {
    chunking: { kind: 'passages', tokens: 128, overlap: 16, title: true },
    analysis: 'trigram',
    mode: 'hybrid',
    hnsw: { m: 8 },
    dates: ['published'],
  }
  const engine = await start(dataDir)
  expect((await engine.open('own', IDENTITY, settings)).settings).toEqual(settings)
  expect((await engine.open('plain', IDENTITY)).settings).toEqual(FIRST_SETTINGS)
  await engine.close()
  const again = await start(dataDir)
  expect((await again.open('own', IDENTITY, FIRST_SETTINGS)).settings).toEqual(settings)
})
