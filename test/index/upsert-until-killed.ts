/** Upserts batch after batch, says each number once it is acknowledged, until killed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION } from '../../src/index/index-engine.ts'
import { DIMENSIONS, KILLED_BATCH } from './killed.ts'
import { Random, randomDocument } from './random.ts'

/** @returns false to try again. @throws what else went wrong */
function isInUse(error: Error): false {
  if (error.message.includes('Another process is using')) return false
  throw error
}

const engine = await startEmbeddedEngine({ dataDir: process.argv[2]!, limits: { snapshotChangesMin: 150 } })
const index = await engine.open(DEFAULT_COLLECTION, { dimensions: DIMENSIONS, fingerprint: 'model-a' })
for (let batch = Number(process.argv[3]); ; batch++) {
  const random = new Random(batch)
  const documents = Array.from({ length: KILLED_BATCH }, (_, i) =>
    // Every third document replaces one of the batch before.
    randomDocument(random, i % 3 === 0 ? `b${batch - 1}-${i + 1}` : `b${batch}-${i}`, DIMENSIONS),
  )
  // Whoever tries to open the folder has its lock for a moment, if its file was removed.
  while (!(await index.upsert(documents).then(() => true, isInUse))) await sleep(20)
  process.stdout.write(`${batch}\n`)
}
