/** Creates a collection, moves the alias to it and drops the one before, says each number once, until killed. */
import { Aliases } from '../../src/collections/aliases.ts'
import { FIRST_SETTINGS } from '../../src/index/collection-settings.ts'
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { named } from '../index/documents.ts'

const IDENTITY = { dimensions: 2, fingerprint: 'model-a' }
const engine = await startEmbeddedEngine({ dataDir: process.argv[2]! })
const aliases = await Aliases.read(engine.records, (_alias, error) => {
  throw error
})
for (let number = Number(process.argv[3]); ; number++) {
  const name = `c${number}`
  await engine.create(name, IDENTITY, FIRST_SETTINGS)
  const index = await engine.open(name, IDENTITY)
  await index.upsert([named('only', Float32Array.of(1, 0), { number })])
  await index.close()
  await aliases.set('live', name)
  await engine.drop(`c${number - 1}`)
  process.stdout.write(`${number}\n`)
}
