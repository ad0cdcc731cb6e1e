/** One export in a process of its own: `export-child.ts OPTIONS_AS_JSON` prints what it took, as JSON. */
import { exportModel } from '../../src/tools/export/export-model.ts'
import { peakMemory } from './peak-memory.ts'

const start = performance.now()
const before = peakMemory()
const { files } = await exportModel(JSON.parse(process.argv[2]!))
const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0)
const seconds = (performance.now() - start) / 1000
console.log(JSON.stringify({ bytes, seconds, before, peak: peakMemory() }))
