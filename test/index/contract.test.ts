import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore } from '../../src/index/embedded/embedded-index.ts'
import { CONTRACT_DIMENSIONS, vectorStoreContract } from '../contract/document-index.ts'
import { openExactStore } from '../oracle/exact-index.ts'

vectorStoreContract('the exact store', async () => ({
  store: openExactStore({ dimensions: CONTRACT_DIMENSIONS }),
  cleanUp: async () => {},
}))

vectorStoreContract('the embedded store', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'vector-store-'))
  return {
    store: await openEmbeddedStore({ dataDir, dimensions: CONTRACT_DIMENSIONS, fingerprint: 'a' }),
    cleanUp: () => rm(dataDir, { recursive: true, force: true }),
  }
})
