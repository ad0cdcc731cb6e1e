import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectAlone } from '../../src/index/embedded/database/connection.ts'
import { idsOf } from './documents.ts'
import { DIMENSIONS } from './killed.ts'
import { Random, randomDocument } from './random.ts'
import { countOf, openIn, scratchFolder } from './scratch.ts'

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const sqlite = JSON.stringify(createRequire(import.meta.url).resolve('better-sqlite3'))

/** Starts a process that uses a folder, and waits until it says so; killed after the test, or before. */
async function holder(args: readonly string[]): Promise<() => Promise<unknown>> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const kill = () => {
    child.kill('SIGKILL')
    return exited
  }
  onTestFinished(async () => void (await kill()))
  await once(child.stdout, 'data')
  return kill
}

const service = (dataDir: string) =>
  holder(['--import', tsx, new URL('./upsert-until-killed.ts', import.meta.url).pathname, dataDir, '1'])

/** As versions before this one held a folder: a lock that is taken back when the file goes, and an open database. */
const olderService = (dataDir: string) =>
  holder([
    '-e',
    `const Database = require(${sqlite})
     const lock = new Database(process.argv[1] + '/lock.sqlite', { timeout: 0 })
     lock.pragma('journal_mode = MEMORY')
     lock.exec('BEGIN EXCLUSIVE')
     const db = new Database(process.argv[1] + '/store.sqlite')
     db.prepare('SELECT count(*) FROM documents').get()
     console.log('open')
     setInterval(() => {}, 1000)`,
    dataDir,
  ])

const inUse = { code: 'STORE_UNUSABLE', message: expect.stringContaining('Another process is using') }

describe('a folder in use by another process', () => {
  it('stays closed whatever happens to the lock file, and opens once the process is killed', async () => {
    const dataDir = await scratchFolder()
    const kill = await service(dataDir)
    const lock = join(dataDir, 'lock.sqlite')
    await expect(openIn(dataDir)).rejects.toMatchObject(inUse)
    await rm(lock)
    await expect(openIn(dataDir)).rejects.toMatchObject(inUse)
    await expect(openIn(dataDir)).rejects.toMatchObject(inUse)
    await rm(lock, { force: true })
    await writeFile(lock, '')
    await expect(openIn(dataDir)).rejects.toMatchObject(inUse)
    await copyFile(lock, `${lock}.copy`)
    await rename(`${lock}.copy`, lock)
    await expect(openIn(dataDir)).rejects.toMatchObject(inUse)
    await kill()
    expect(await countOf(await openIn(dataDir))).toBeGreaterThan(0)
  })

  it('stays closed by another name of it, too', async () => {
    const dataDir = await scratchFolder()
    await service(dataDir)
    const link = join(await scratchFolder(), 'link')
    await symlink(dataDir, link)
    await expect(openIn(link)).rejects.toMatchObject(inUse)
    await rm(join(dataDir, 'lock.sqlite'))
    await expect(openIn(link)).rejects.toMatchObject(inUse)
    const other = await scratchFolder()
    await symlink(join(dataDir, 'store.sqlite'), join(other, 'store.sqlite'))
    await expect(openIn(other)).rejects.toMatchObject(inUse)
  })

  it('stays closed when an older version has it, with its lock file or without', async () => {
    const dataDir = await scratchFolder()
    await (await openIn(dataDir)).close()
    await olderService(dataDir)
    await expect(openIn(dataDir)).rejects.toMatchObject(inUse)
    await rm(join(dataDir, 'lock.sqlite'))
    await expect(openIn(dataDir)).rejects.toMatchObject(inUse)
  })

  it('gets its lock file back, so that an older version stays out', async () => {
    const dataDir = await scratchFolder()
    await service(dataDir)
    const lock = join(dataDir, 'lock.sqlite')
    await rm(lock)
    while (!existsSync(lock)) await sleep(50)
    await sleep(200)
    expect(() => connectAlone(lock)).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }))
  })
})

describe('files that go away under a running index', () => {
  const one = (id: string) => [randomDocument(new Random(3), id, DIMENSIONS)]
  const lost = { code: 'STORE_UNUSABLE', message: expect.stringContaining('removed or replaced') }

  it.each([
    ['the folder is moved', async (dataDir: string) => rename(dataDir, `${dataDir}-moved`)],
    [
      'the folder is replaced by an empty one',
      async (dataDir: string) => {
        await rename(dataDir, `${dataDir}-moved`)
        await mkdir(dataDir)
      },
    ],
    ['the database is deleted', (dataDir: string) => rm(join(dataDir, 'store.sqlite'))],
    ['the log is deleted', (dataDir: string) => rm(join(dataDir, 'store.sqlite-wal'))],
    [
      'the database is replaced by a copy',
      async (dataDir: string) => {
        const database = join(dataDir, 'store.sqlite')
        await copyFile(database, `${database}.copy`)
        await rename(`${database}.copy`, database)
      },
    ],
  ])('no write is acknowledged when %s', async (_, happens) => {
    const dataDir = await scratchFolder()
    onTestFinished(() => rm(`${dataDir}-moved`, { recursive: true, force: true }))
    const index = await openIn(dataDir)
    await index.upsert(one('a'))
    await happens(dataDir)
    await expect(index.upsert(one('b'))).rejects.toMatchObject(lost)
    await expect(index.remove({ ids: ['a'] })).rejects.toMatchObject(lost)
    expect(await index.get(['a', 'b'])).toMatchObject([{ id: 'a' }, undefined])
    expect(await countOf(index)).toBe(1)
  })

  it('writes go on when the folder is back', async () => {
    const dataDir = await scratchFolder()
    const index = await openIn(dataDir)
    await rename(dataDir, `${dataDir}-moved`)
    await expect(index.upsert(one('a'))).rejects.toMatchObject(lost)
    await rename(`${dataDir}-moved`, dataDir)
    await index.upsert(one('b'))
    await index.close()
    const again = await openIn(dataDir)
    expect((await again.scan({ limit: 9 })).documents.map(({ id }) => id)).toEqual(idsOf(one('b')))
  })

  it('no write is acknowledged once another program has written', async () => {
    const dataDir = await scratchFolder()
    const index = await openIn(dataDir)
    await index.upsert(one('a'))
    const kill = await holder([
      '-e',
      `const db = new (require(${sqlite}))(process.argv[1] + '/store.sqlite')
       db.exec("UPDATE sqlite_sequence SET seq = seq + 1")
       console.log('written')`,
      dataDir,
    ])
    await kill()
    await expect(index.upsert(one('b'))).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringContaining('Another program has written'),
    })
  })
})
