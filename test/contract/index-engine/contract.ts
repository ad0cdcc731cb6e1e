import { describe, expect, onTestFinished, test } from 'vitest'
import { type CollectionSettings, FIRST_SETTINGS } from '../../../src/index/collection-settings.ts'
import { DEFAULT_COLLECTION, type IndexEngine } from '../../../src/index/index-engine.ts'
import { named } from '../../index/documents.ts'

const IDENTITY = { dimensions: 2, fingerprint: 'model-a' }
const SETTINGS: CollectionSettings = {
  ...FIRST_SETTINGS,
  analysis: 'trigram',
  hnsw: { m: 8 },
  dates: ['day'],
}

export interface EngineBench {
  /** Starts the engine on the same stored data again and again, once the one before is closed. */
  start(): Promise<IndexEngine>
  cleanUp(): Promise<void>
}

/** What every engine keeps: collections by name, each there whole or not at all. */
export function indexEngineContract(name: string, open: () => Promise<EngineBench>): void {
  const engines = async () => {
    const bench = await open()
    let running: IndexEngine | undefined
    onTestFinished(async () => {
      await running?.close()
      await bench.cleanUp()
    })
    return async () => {
      await running?.close()
      running = await bench.start()
      return running
    }
  }

  describe(name, () => {
    test('lists what was created, open or not, also after a restart', async () => {
      const start = await engines()
      const engine = await start()
      expect(await engine.list()).toEqual([])
      await engine.open(DEFAULT_COLLECTION, IDENTITY)
      await engine.create('b', IDENTITY, SETTINGS)
      await engine.open('a', IDENTITY)
      expect(new Set(await engine.list())).toEqual(new Set([DEFAULT_COLLECTION, 'a', 'b']))
      const again = await start()
      expect(new Set(await again.list())).toEqual(new Set([DEFAULT_COLLECTION, 'a', 'b']))
    })

    test('describes a collection, closed or open, and none that is not there', async () => {
      const engine = await (await engines())()
      await engine.create('b', IDENTITY, SETTINGS)
      expect(await engine.describe('b')).toEqual({ identity: IDENTITY, settings: SETTINGS })
      const index = await engine.open('b', IDENTITY)
      expect(index.settings).toEqual(SETTINGS)
      await index.configure({ mode: 'hybrid' })
      expect(await engine.describe('b')).toMatchObject({ settings: { mode: 'hybrid' } })
      expect(await engine.describe('c')).toBeUndefined()
    })

    test('creates a collection once', async () => {
      const engine = await (await engines())()
      await engine.create('b', IDENTITY, SETTINGS)
      const other = { ...IDENTITY, fingerprint: 'model-b' }
      await expect(engine.create('b', other, FIRST_SETTINGS)).rejects.toMatchObject({ code: 'CONFLICT' })
      expect(await engine.describe('b')).toEqual({ identity: IDENTITY, settings: SETTINGS })
      await engine.open('c', IDENTITY)
      await expect(engine.create('c', IDENTITY, SETTINGS)).rejects.toMatchObject({ code: 'CONFLICT' })
    })

    test('drops a closed collection with its documents, and the name is free again', async () => {
      const start = await engines()
      const engine = await start()
      const index = await engine.open('b', IDENTITY)
      await index.upsert([named('x', Float32Array.of(1, 0))])
      await expect(engine.drop('b')).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      await index.close()
      expect([await engine.drop('b'), await engine.drop('b')]).toEqual([true, false])
      expect(await engine.list()).toEqual([])
      const empty = await engine.open('b', { dimensions: 3, fingerprint: 'model-b' })
      expect(await empty.count()).toBe(0)
      await empty.close()
      await engine.drop('b')
      expect(await (await start()).list()).toEqual([])
    })

    test('keeps the default collection', async () => {
      const engine = await (await engines())()
      await (await engine.open(DEFAULT_COLLECTION, IDENTITY)).close()
      await expect(engine.drop(DEFAULT_COLLECTION)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      expect(await engine.list()).toEqual([DEFAULT_COLLECTION])
    })

    test('settings that were changed stay changed, and are in force at once', async () => {
      const start = await engines()
      const index = await (await start()).open('b', IDENTITY, SETTINGS)
      await index.configure({ hnsw: { ...SETTINGS.hnsw, ef: 20 } })
      const changed = { ...SETTINGS, hnsw: { m: 8, ef: 20 } }
      expect(index.settings).toEqual(changed)
      expect((await (await start()).open('b', IDENTITY)).settings).toEqual(changed)
    })

    test('refuses names and dimensions that cannot be', async () => {
      const engine = await (await engines())()
      for (const bad of ['', '..', 'a/b', 'A', '.b', '_b', 'x'.repeat(65)]) {
        const refused = { code: 'INVALID_INPUT', details: { field: 'collection' } }
        await expect(engine.create(bad, IDENTITY, SETTINGS)).rejects.toMatchObject(refused)
        await expect(engine.describe(bad)).rejects.toMatchObject(refused)
        await expect(engine.drop(bad)).rejects.toMatchObject(refused)
      }
      const none = { ...IDENTITY, dimensions: 0 }
      await expect(engine.create('b', none, SETTINGS)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      expect(await engine.list()).toEqual([])
    })
  })
}
