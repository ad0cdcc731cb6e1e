/** Patches all documents again and again, says each number once it is acknowledged, until killed. */
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION } from '../../src/index/index-engine.ts'
import { parseFilter } from '../../src/retrieval/checks/parse-filter.ts'
import { named } from './documents.ts'
import { DIMENSIONS, KILLED_BATCH } from './killed.ts'
import { Random } from './random.ts'

const engine = await startEmbeddedEngine({ dataDir: process.argv[2]! })
const index = await engine.open(DEFAULT_COLLECTION, { dimensions: DIMENSIONS, fingerprint: 'model-a' })
const random = new Random(1)
const documents = Array.from({ length: KILLED_BATCH }, (_, i) =>
  named(`d${i}`, random.unitVector(DIMENSIONS), { kept: i }),
)
await index.upsert(documents)
for (let round = 1; ; round++) {
  const merge = { round, [`odd${round % 2}`]: round, [`odd${(round + 1) % 2}`]: null }
  await index.patch({ filter: parseFilter({}) }, { merge, bytesMax: 1000, valuesMax: 10 })
  process.stdout.write(`${round}\n`)
}
