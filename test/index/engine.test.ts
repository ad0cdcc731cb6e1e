import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { FIRST_SETTINGS } from '../../src/index/collection-settings.ts'
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { indexEngineContract } from '../contract/index-engine/contract.ts'
import { IDENTITY, scratchFolder } from './scratch.ts'

indexEngineContract('the embedded engine', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'llara-engine-'))
  return {
    start: () => startEmbeddedEngine({ dataDir }),
    cleanUp: () => rm(dataDir, { recursive: true, force: true }),
  }
})

async function start(dataDir: string) {
  const engine = await startEmbeddedEngine({ dataDir })
  onTestFinished(() => engine.close())
  return engine
}

test('what a killed process left of creating and dropping is removed at the start', async () => {
  const dataDir = await scratchFolder()
  const folder = join(dataDir, 'collections')
  for (const name of ['.creating-a', '.dropped-1', 'empty']) {
    await mkdir(join(folder, name), { recursive: true })
    if (name !== 'empty') await writeFile(join(folder, name, 'store.sqlite'), '')
  }
  const engine = await start(dataDir)
  expect(await engine.list()).toEqual([])
  expect(await readdir(folder)).toEqual(['empty'])
  await engine.create('empty', IDENTITY, FIRST_SETTINGS)
  expect(await engine.list()).toEqual(['empty'])
})

test('a collection whose database is damaged is listed, said to be so, and can be dropped', async () => {
  const dataDir = await scratchFolder()
  const engine = await start(dataDir)
  await engine.create('bad', IDENTITY, FIRST_SETTINGS)
  await writeFile(join(dataDir, 'collections', 'bad', 'store.sqlite'), 'this is no database')
  expect(await engine.list()).toEqual(['bad'])
  await expect(engine.describe('bad')).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
  await expect(engine.open('bad', IDENTITY)).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
  expect(await engine.drop('bad')).toBe(true)
  expect(existsSync(join(dataDir, 'collections', 'bad'))).toBe(false)
})
