import { existsSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { named } from '../index/documents.ts'
import { scratchFolder } from '../index/scratch.ts'
import { openCollections } from './open.ts'

const COLLECTIONS = 1000
/** Of them, more than may be open at once by far. */
const USED = 160
const OPEN = 16
const DIMENSIONS = 8
/** The database twice, with its log and its index, the counter, and the graph while it is saved. */
const FILES_EACH = 8

const nameOf = (i: number) => `tenant-${i}`

function openFiles(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0
}

test('a thousand collections are opened in turn, few at once, and all are there after a restart', async () => {
  const dataDir = await scratchFolder()
  const settings = { collectionsOpenMax: OPEN, scrubHours: 0 }
  const { collections, close } = await openCollections(dataDir, settings)
  const before = openFiles()
  let most = 0
  const use = async (i: number) => {
    const { retrieval, release } = await collections.lease(nameOf(i))
    const vector = Float32Array.from({ length: DIMENSIONS }, (_, place) => (place === i % DIMENSIONS ? 1 : 0))
    await retrieval.index.upsert([named(`only-${i}`, vector)])
    most = Math.max(most, openFiles())
    release()
  }
  for (let i = 0; i < COLLECTIONS; i++)
    await collections.create(nameOf(i), { dimensions: DIMENSIONS, settings: {} })
  for (let i = 0; i < USED; i += 40) await Promise.all(Array.from({ length: 40 }, (_, j) => use(i + j)))
  expect(most - before).toBeLessThan(OPEN * FILES_EACH)
  await close()
  const again = await openCollections(dataDir, settings)
  expect(again.collections.names()).toHaveLength(COLLECTIONS + 1)
  const last = await again.collections.info(nameOf(COLLECTIONS - 1))
  expect(last).toMatchObject({ vectors: 'own', dimensions: DIMENSIONS })
  for (let i = 0; i < USED; i += 4) {
    const { retrieval, release } = await again.collections.lease(nameOf(i))
    expect(await retrieval.index.get([`only-${i}`])).toHaveLength(1)
    expect(await retrieval.index.count()).toBe(1)
    release()
  }
}, 180_000)
