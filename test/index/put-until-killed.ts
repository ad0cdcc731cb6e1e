/** Puts records over and over, says each number once it is acknowledged, until killed. */
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'

const { records } = await startEmbeddedEngine({ dataDir: process.argv[2]! })
for (let number = Number(process.argv[3]); ; number++) {
  await records.put('counts', `n${number % 3}`, { number, filler: 'x'.repeat(20_000) })
  if (number % 3 === 0) await records.remove('counts', 'n2')
  process.stdout.write(`${number}\n`)
}
