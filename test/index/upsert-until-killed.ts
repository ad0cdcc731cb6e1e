/** Upserts batch after batch, says each number once it is acknowledged, until killed. */
import { openEmbeddedStore } from '../../src/index/embedded/embedded-index.ts'
import { DIMENSIONS, KILLED_BATCH } from './killed.ts'
import { Random, randomDocument } from './random.ts'

const dataDir = process.argv[2] as string
const store = await openEmbeddedStore({
  dataDir,
  dimensions: DIMENSIONS,
  fingerprint: 'model-a',
  snapshotChangesMin: 150,
})
for (let batch = Number(process.argv[3]); ; batch++) {
  const random = new Random(batch)
  const documents = Array.from({ length: KILLED_BATCH }, (_, i) =>
    // Every third document replaces one of the batch before.
    randomDocument(random, i % 3 === 0 ? `b${batch - 1}-${i + 1}` : `b${batch}-${i}`, DIMENSIONS),
  )
  await store.upsert(documents)
  process.stdout.write(`${batch}\n`)
}
