import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { scratchFolder } from '../index/scratch.ts'
import { openCollections } from './open.ts'

/** @returns the last number that was acknowledged before the kill */
async function runUntilKilled(dataDir: string, first: number, ms: number): Promise<number> {
  const child = fileURLToPath(new URL('change-until-killed.ts', import.meta.url))
  const args = ['--import', 'tsx', child, dataDir, String(first)]
  const running = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  running.stdout.on('data', (chunk) => {
    if (said === '') setTimeout(() => running.kill('SIGKILL'), ms)
    said += chunk
  })
  expect((await once(running, 'close'))[1]).toBe('SIGKILL')
  return Number(said.trimEnd().split('\n').at(-1))
}

test('a kill while collections are created, dropped and an alias moves leaves each of it whole', async () => {
  const dataDir = await scratchFolder()
  let acknowledged = 0
  for (const ms of [15, 60, 110, 170]) {
    acknowledged = await runUntilKilled(dataDir, acknowledged + 2, ms)
    const { collections, engine, close } = await openCollections(dataDir)
    const live = collections.resolve('live')
    // One more may have been done and not acknowledged.
    expect([`c${acknowledged}`, `c${acknowledged + 1}`]).toContain(live)
    const { retrieval, release } = await collections.lease(live)
    const [document] = await retrieval.index.get(['only'])
    expect(document?.metadata).toEqual({ number: Number(live.slice(1)) })
    release()
    // What is listed can be opened, and nothing is left of what is not.
    const others = (await engine.list()).filter((name) => name !== 'default')
    for (const name of others) (await collections.lease(name)).release()
    expect(new Set(await readdir(join(dataDir, 'collections')))).toEqual(new Set(others))
    for (const name of others) {
      if (name !== live) await collections.drop(name, {})
    }
    expect(collections.names()).toEqual([live, 'default'].sort())
    await close()
  }
})
