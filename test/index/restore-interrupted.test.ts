import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { commitRestore } from '../../src/index/embedded/backup/finish-restore.ts'
import { readManifest } from '../../src/index/embedded/backup/manifest.ts'
import { verifyBackup } from '../../src/index/embedded/backup/verify-backup.ts'
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION } from '../../src/index/index-engine.ts'
import { killAfter } from './kill-after.ts'
import { clusteredDocuments, Random } from './random.ts'
import { countOf, DIMENSIONS, IDENTITY, openIn, scratchFolder } from './scratch.ts'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const documents = clusteredDocuments(new Random(17), 3000, DIMENSIONS)

/** A data folder with this many documents in two collections, closed, and its backup. */
async function filled(count: number): Promise<{ dataDir: string; backup: string }> {
  const dataDir = await scratchFolder()
  const engine = await startEmbeddedEngine({ dataDir })
  onTestFinished(() => engine.close())
  const index = await engine.open(DEFAULT_COLLECTION, IDENTITY)
  await engine.open('other', IDENTITY)
  await index.upsert(documents.slice(0, count))
  await engine.backups!.create({ name: 'whole' })
  await engine.close()
  return { dataDir, backup: join(dataDir, 'backups', 'whole') }
}

function run(...args: string[]): ChildProcess {
  return spawn(process.execPath, [main, ...args], { stdio: 'ignore' })
}

describe('a restore that ends in the middle', () => {
  /** What a restore has done when it ends, after the files are in `.restoring`. */
  const plan = '.restore.json'
  const stages: [string, number, (dataDir: string) => Promise<unknown>][] = [
    ['before it counts', 20, async () => {}],
    ['when it counts', 900, async (dataDir) => commitRestore(dataDir, 'old')],
    [
      'while the old files go aside',
      900,
      async (dataDir) => {
        commitRestore(dataDir, 'old')
        await mkdir(join(dataDir, 'old'))
        await rename(join(dataDir, 'store.sqlite'), join(dataDir, 'old', 'store.sqlite'))
      },
    ],
    [
      'while the new files come in',
      900,
      async (dataDir) => {
        commitRestore(dataDir, 'old')
        await mkdir(join(dataDir, 'old'))
        for (const name of await readdir(dataDir)) {
          if (!/^(\.|old|backups|lock)/.test(name))
            await rename(join(dataDir, name), join(dataDir, 'old', name))
        }
        await writeFile(join(dataDir, plan), JSON.stringify({ aside: 'old', step: 'fill' }))
        await rename(join(dataDir, '.restoring/store.sqlite'), join(dataDir, 'store.sqlite'))
      },
    ],
  ]
  it.each(stages)('leaves one state or the other, whole: %s', async (_, expected, happens) => {
    const { backup } = await filled(900)
    const { dataDir } = await filled(20)
    await cp(backup, join(dataDir, '.restoring'), { recursive: true })
    await rm(join(dataDir, '.restoring', 'backup.json'))
    await happens(dataDir)
    const index = await openIn(dataDir)
    expect(await countOf(index)).toBe(expected)
    expect(index.notices.filter(({ level }) => level === 'error')).toEqual([])
    expect((await readdir(dataDir)).filter((name) => name.startsWith('.'))).toEqual([])
    if (expected === 900) expect(await countOf(await openIn(join(dataDir, 'old')))).toBe(20)
  })

  it('by kill -9 leaves the folder as it was, or restored', async () => {
    const { backup } = await filled(3000)
    const { dataDir } = await filled(20)
    const counts = new Set<number>()
    for (const ms of [0, 10, 30, 60, 120, 250]) {
      const restoring = run('restore', backup, '--data-dir', dataDir, '--replace')
      await killAfter(restoring, () => existsSync(join(dataDir, '.restoring')), ms)
      const index = await openIn(dataDir)
      counts.add(await countOf(index))
      await index.close()
    }
    expect([20, 3000]).toEqual(expect.arrayContaining([...counts]))
  })
})

describe('a backup that ends by kill -9', () => {
  it('is not listed unless it is whole', async () => {
    const { dataDir } = await filled(3000)
    const folder = await scratchFolder()
    let killed = 0
    for (const ms of [0, 10, 30, 60, 120, 250]) {
      const backing = run('backup', '--data-dir', dataDir, '--to', folder, '--name', `b${ms}`)
      const begun = () => existsSync(join(folder, `.unfinished-b${ms}`))
      if (await killAfter(backing, begun, ms)) killed++
      for (const name of await readdir(folder)) {
        if (name.startsWith('.')) continue
        const backup = join(folder, name)
        await verifyBackup(backup, await readManifest(backup))
      }
    }
    expect(killed).toBeGreaterThan(0)
    await once(run('backup', '--data-dir', dataDir, '--to', folder, '--name', 'last'), 'exit')
    const left = await readdir(folder)
    expect(left).toContain('last')
    expect(left.filter((name) => name.startsWith('.'))).toEqual([])
  })
})
