/** Replaces and deletes documents, more than the log may hold, and says how it went. */
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION } from '../../src/index/index-engine.ts'
import { indexed } from './documents.ts'
import { DIMENSIONS } from './killed.ts'
import { Random } from './random.ts'

const engine = await startEmbeddedEngine({ dataDir: process.argv[2]!, limits: { reserveBytes: 512 * 1024 } })
const index = await engine.open(DEFAULT_COLLECTION, { dimensions: DIMENSIONS, fingerprint: 'model-a' })
const random = new Random(9)
const batch = Array.from({ length: 100 }, (_, i) =>
  indexed({ id: `d${i}`, title: null, text: 'x'.repeat(3000), metadata: {} }, random.unitVector(DIMENSIONS)),
)
let replaced = 0
for (let round = 0; round < 20; round++) replaced += (await index.upsert(batch)).updated
const { removed } = await index.remove({ ids: batch.map(({ document }) => document.id) })
process.stdout.write(JSON.stringify({ replaced, removed }))
await engine.close()
