import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { restoreBackup } from '../../src/index/embedded/backup/restore.ts'
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION } from '../../src/index/index-engine.ts'
import { idsOf, named } from './documents.ts'
import { clusteredDocuments, Random } from './random.ts'
import { copyOf, countOf, DIMENSIONS, IDENTITY, openIn, scratchFolder, searchVectors } from './scratch.ts'
import { flip } from './whole-folder.ts'

const random = new Random(11)
const documents = clusteredDocuments(random, 600, DIMENSIONS)
const queries = Array.from({ length: 5 }, () => random.unitVector(DIMENSIONS))

async function start(dataDir: string, limits = {}) {
  const engine = await startEmbeddedEngine({ dataDir, limits })
  onTestFinished(() => engine.close())
  return { engine, backups: engine.backups!, index: await engine.open(DEFAULT_COLLECTION, IDENTITY) }
}

/** A finished backup's folder, and the data folder it is of, which is closed. */
async function finished(): Promise<{ dataDir: string; folder: string }> {
  const dataDir = await scratchFolder()
  const { engine, backups, index } = await start(dataDir)
  await index.upsert(documents)
  await backups.create({ name: 'one' })
  await engine.close()
  return { dataDir, folder: join(dataDir, 'backups', 'one') }
}

describe('a backup', () => {
  it('holds what was acknowledged before it began, of every collection, while writes go on', async () => {
    const dataDir = await scratchFolder()
    const { engine, backups, index } = await start(dataDir)
    const other = await engine.open('other', { dimensions: 2, fingerprint: 'model-b' })
    await index.upsert(documents)
    await index.remove({ ids: idsOf(documents.slice(0, 50)) })
    await other.upsert([named('x', Float32Array.of(0, 1))])
    let stop = false
    let late = 0
    const writing = (async () => {
      for (; !stop; late++) await index.upsert([named(`late${late}`, random.unitVector(DIMENSIONS))])
    })()
    const { backup, removed } = await backups.create({ name: 'under-load' })
    const during = late
    stop = true
    await writing
    expect(during).toBeGreaterThan(0)
    expect(removed).toEqual([])
    expect(backup.collections).toMatchObject([{ name: 'default' }, { name: 'other', documents: 1 }])
    expect(backup.collections[0]!.documents).toBeLessThanOrEqual(550 + late)

    const target = await scratchFolder()
    await restoreBackup({ source: join(dataDir, 'backups/under-load'), dataDir: target, replace: false })
    const restored = await start(target)
    const kept = documents.slice(50)
    expect(await restored.index.get(idsOf(kept))).toEqual(kept.map(({ document }) => document))
    expect(await countOf(restored.index)).toBe(backup.collections[0]!.documents)
    const again = await restored.engine.open('other', { dimensions: 2, fingerprint: 'model-b' })
    expect(await again.get(['x'])).toMatchObject([{ id: 'x' }])
    await restored.index.upsert([named('new', random.unitVector(DIMENSIONS))])
  })

  it('answers like the original, with the saved graph and without', async () => {
    const dataDir = await scratchFolder()
    const first = await start(dataDir)
    await first.index.upsert(documents)
    await first.engine.close()
    const { index, backups } = await start(dataDir)
    await backups.create({ name: 'a' })
    const files = await readdir(join(dataDir, 'backups/a'))
    expect(files.filter((name) => !/^graph-\w+\.hnsw$/.test(name)).sort()).toEqual([
      'backup.json',
      'graph.json',
      'store.sqlite',
    ])
    const expected = await searchVectors(index, queries, 10, { tuning: { exact: true } })
    const target = await scratchFolder()
    await restoreBackup({ source: join(dataDir, 'backups/a'), dataDir: target, replace: false })
    const restored = await openIn(target)
    expect(restored.notices.map(({ kind }) => kind)).toContain('graph-loaded')
    expect(await searchVectors(restored, queries, 10, { tuning: { exact: true } })).toEqual(expected)

    await rm(join(dataDir, 'graph.json'))
    await backups.create({ name: 'b' })
    expect((await readdir(join(dataDir, 'backups/b'))).sort()).toEqual(['backup.json', 'store.sqlite'])
    const without = await scratchFolder()
    await restoreBackup({ source: join(dataDir, 'backups/b'), dataDir: without, replace: false })
    const built = await openIn(without)
    expect(built.notices.filter(({ level }) => level !== 'info')).toEqual([])
    expect(await searchVectors(built, queries, 10, { tuning: { exact: true } })).toEqual(expected)
  })

  it('is made one at a time, under a name that is free and cannot lead elsewhere', async () => {
    const dataDir = await scratchFolder()
    const { index, backups } = await start(dataDir)
    await index.upsert(documents)
    const both = await Promise.allSettled([backups.create(), backups.create()])
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(both[1]).toMatchObject({ reason: { code: 'OVERLOADED', details: { retryAfterMs: 5000 } } })
    await backups.create({ name: 'mine' })
    await expect(backups.create({ name: 'mine' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    for (const name of ['', '.', '..', '../x', 'a/b', 'a\\b', '.hidden', 'x'.repeat(65), 'A', 'a\0b', '-a']) {
      await expect(backups.create({ name })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      await expect(backups.remove(name)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
      await expect(backups.read(name)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    }
    await expect(backups.remove('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await backups.list()).toMatchObject([{ name: 'mine' }, {}])
    await backups.remove('mine')
    expect(await backups.list()).toHaveLength(1)
  })

  it('is kept until there are too many, the oldest goes first', async () => {
    const { index, backups } = await start(await scratchFolder(), { backupsMax: 2 })
    await index.upsert(documents.slice(0, 3))
    for (const name of ['b', 'c', 'a']) await backups.create({ name })
    expect((await backups.list()).map(({ name }) => name)).toEqual(['a', 'c'])
    expect(await backups.create({ name: 'd' })).toMatchObject({ removed: ['c'] })
  })

  it('leaves nothing when it is given up, or the index closes', async () => {
    const dataDir = await scratchFolder()
    const { engine, index, backups } = await start(dataDir)
    await index.upsert(documents)
    const begun = async (name: string) => {
      while (!existsSync(join(dataDir, 'backups', `.unfinished-${name}`, 'store.sqlite'))) await nextTurn()
    }
    const abort = new AbortController()
    const given = backups.create({ name: 'given-up', signal: abort.signal })
    await begun('given-up')
    abort.abort()
    await expect(given).rejects.toMatchObject({ code: 'ABORTED' })
    const closed = backups.create({ name: 'closed' })
    await begun('closed')
    await Promise.all([expect(closed).rejects.toMatchObject({ code: 'ABORTED' }), engine.close()])
    expect(await readdir(join(dataDir, 'backups'))).toEqual([])
  })

  it('is not made of damaged documents, nor where it cannot be written', async () => {
    const dataDir = await scratchFolder()
    const first = await start(dataDir)
    await first.index.upsert([named('needle', random.unitVector(DIMENSIONS)), ...documents.slice(0, 20)])
    await first.engine.close()
    const blocked = await copyOf(dataDir)
    const database = join(dataDir, 'store.sqlite')
    await flip(database, (await readFile(database)).lastIndexOf('text of needle'))
    await expect((await start(dataDir)).backups.create({ name: 'a' })).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringMatching(/damaged.*no backup was made/),
    })
    await writeFile(join(blocked, 'backups'), 'a file')
    const { backups } = await start(blocked)
    await expect(backups.create()).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.not.stringContaining(blocked),
    })
  })

  it('that was left half by a killed process is not listed, and goes with the next', async () => {
    const dataDir = await scratchFolder()
    const half = join(dataDir, 'backups', '.unfinished-half')
    await mkdir(half, { recursive: true })
    await writeFile(join(half, 'store.sqlite'), 'half')
    const { index, backups } = await start(dataDir)
    await index.upsert(documents.slice(0, 3))
    expect(await backups.list()).toEqual([])
    await backups.create({ name: 'whole' })
    expect(await readdir(join(dataDir, 'backups'))).toEqual(['whole'])
  })
})

describe('a restore', () => {
  it('refuses a folder that holds documents, unless they are put aside', async () => {
    const { dataDir, folder } = await finished()
    const target = await scratchFolder()
    const before = await openIn(target)
    await before.upsert(documents.slice(0, 7))
    const restore = (replace: boolean) => restoreBackup({ source: folder, dataDir: target, replace })
    await expect(restore(true)).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringContaining('Another process is using'),
    })
    await before.close()
    await expect(restore(false)).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringContaining('--replace'),
    })
    const { aside } = await restore(true)
    const restored = await openIn(target)
    expect(await countOf(restored)).toBe(600)
    expect(restored.notices.filter(({ level }) => level === 'error')).toEqual([])
    expect(await countOf(await openIn(aside!))).toBe(7)
    await expect(openIn(dataDir).then(countOf)).resolves.toBe(600)
  })

  it('refuses a backup of which any bit is not as it was written, and leaves the folder as it was', async () => {
    const { folder } = await finished()
    for (const name of await readdir(folder)) {
      const { length } = await readFile(join(folder, name))
      for (let i = 0; i < 8; i++) {
        const copy = await copyOf(folder)
        await flip(join(copy, name), Math.floor(random.next() * length))
        const target = await scratchFolder()
        const restoring = restoreBackup({ source: copy, dataDir: target, replace: false })
        await expect(restoring).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
        expect((await readdir(target)).filter((left) => left !== 'lock.sqlite')).toEqual([])
      }
    }
    const copy = await copyOf(folder)
    await rm(join(copy, 'store.sqlite'))
    const restoring = restoreBackup({ source: copy, dataDir: await scratchFolder(), replace: false })
    await expect(restoring).rejects.toMatchObject({ message: expect.stringContaining('missing') })
  })
})
