/** Opens the folder of a collection and says how many documents have been converted, until killed. */
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION } from '../../src/index/index-engine.ts'

const [dataDir, identity] = process.argv.slice(2)
const engine = await startEmbeddedEngine({
  dataDir: dataDir!,
  onNotice: ({ facts }) => process.stdout.write(`${facts['done']}\n`),
})
await engine.open(DEFAULT_COLLECTION, JSON.parse(identity!))
