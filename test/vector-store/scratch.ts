import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import {
  type EmbeddedStore,
  type EmbeddedStoreOptions,
  openEmbeddedStore,
} from '../../src/vector-store/embedded/embedded-store.ts'
import type { StoreNotice } from '../../src/vector-store/embedded/options.ts'

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
