import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import {
  type EmbeddedStore,
  type EmbeddedStoreOptions,
  openEmbeddedStore,
} from '../../src/index/embedded/embedded-index.ts'
import type { StoreNotice } from '../../src/index/embedded/limits.ts'

export const DIMENSIONS = 16

/** A new folder, removed after the test. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vector-store-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Opens the embedded store in a folder, collecting its notices; closed after the test. */
export async function openIn(
  dataDir: string,
  options: Partial<EmbeddedStoreOptions> = {},
): Promise<EmbeddedStore & { notices: StoreNotice[] }> {
  const notices: StoreNotice[] = []
  const store = await openEmbeddedStore({
    dataDir,
    dimensions: DIMENSIONS,
    fingerprint: 'model-a',
    onNotice: (notice) => notices.push(notice),
    ...options,
  })
  onTestFinished(() => store.close())
  return Object.assign(store, { notices })
}

/**
 * What a process that is killed now would leave behind: a copy of the files as they are, without a close.
 *
 * @returns the folder to open next
 */
export async function crash(store: EmbeddedStore, dataDir: string): Promise<string> {
  const folder = await scratchFolder()
  for (const name of await readdir(dataDir)) {
    await copyFile(join(dataDir, name), join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      // A graph file replaced while we looked: a killed process leaves one state or the other.
      if (error.code !== 'ENOENT') throw error
    })
  }
  await store.close()
  return folder
}
