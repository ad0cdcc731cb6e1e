import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect } from 'vitest'
import type { CollectionIdentity } from '../../src/index/index-engine.ts'

/** Starts a conversion and kills it once it says that it has done this many documents. */
export async function convertUntilKilled(
  folder: string,
  identity: CollectionIdentity,
  documents: number,
): Promise<void> {
  const child = fileURLToPath(new URL('./open-folder.ts', import.meta.url))
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const argv = ['--import', tsx, child, folder, JSON.stringify(identity)]
  const running = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(running, 'exit')
  for await (const line of createInterface({ input: running.stdout })) {
    if (Number(line) >= documents) running.kill('SIGKILL')
  }
  expect((await exited)[1]).toBe('SIGKILL')
}
