import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { CONTRACT_DIMENSIONS, CONTRACT_SETTINGS } from '../contract/document-index/bench.ts'
import { documentIndexContract } from '../contract/document-index/contract.ts'
import { ExactIndex } from '../oracle/exact-index.ts'

documentIndexContract('the exact index', async () => ({
  index: new ExactIndex(CONTRACT_DIMENSIONS, CONTRACT_SETTINGS),
  cleanUp: async () => {},
}))

documentIndexContract('a collection of the embedded engine', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'llara-index-'))
  const engine = await startEmbeddedEngine({ dataDir })
  return {
    index: await engine.open(
      'contract',
      { dimensions: CONTRACT_DIMENSIONS, fingerprint: 'a' },
      CONTRACT_SETTINGS,
    ),
    cleanUp: async () => {
      await engine.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
})
