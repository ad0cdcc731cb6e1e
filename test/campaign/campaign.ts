import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { setup as build } from '../build.ts'
import { tinyModel } from '../fixtures/tiny-model.ts'
import { Random } from '../index/random.ts'
import { type Part, Tally } from './part.ts'
import { backup } from './parts/backup.ts'
import { bitFlips } from './parts/bit-flips.ts'
import { diskFaults } from './parts/disk-faults.ts'
import { floods } from './parts/floods.ts'
import { fuzz } from './parts/fuzz.ts'
import { jobs } from './parts/jobs.ts'
import { kill } from './parts/kill.ts'
import { migration } from './parts/migration.ts'
import { power } from './parts/power.ts'
import { soak } from './parts/soak.ts'

/** What is tried, each for the same share of the time. */
const PARTS: Record<string, Part> = {
  kill,
  backup,
  jobs,
  migration,
  power,
  'disk-faults': diskFaults,
  'bit-flips': bitFlips,
  fuzz,
  floods,
  soak,
}

const USAGE = `Usage: npm run campaign -- [--minutes N] [--only PART,...] [--seed N]

Attacks the built service in rounds until the time is over, and counts what was tried and what failed. A failed round
says its seed; --only PART --seed SEED begins with the same round.

Parts: ${Object.keys(PARTS).join(', ')}`

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    only: { type: 'string' },
    seed: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})
const minutes = Number(values.minutes)
const names = values.only?.split(',') ?? Object.keys(PARTS)
const unknown = names.filter((name) => !(name in PARTS))
if (values.help || !(minutes > 0) || unknown.length > 0) {
  console.error(USAGE)
  process.exit(values.help ? 0 : 2)
}
const firstSeed = Number(values.seed ?? Math.floor(Math.random() * 1e9))

build()
const model = await tinyModel()
console.log(
  `${cpus()[0]?.model}, ${availableParallelism()} CPUs; Node ${process.versions.node}; seed ${firstSeed}`,
)
const results: { name: string; rounds: number; tally: Tally }[] = []
for (const name of names)
  results.push({ name, ...(await runPart(name, PARTS[name]!, (minutes * 60_000) / names.length)) })

console.log('\npart          rounds   tries  failures  a try')
for (const { name, rounds, tally } of results) {
  const figures = [rounds, tally.tries, tally.failures.length]
    .map((n, i) => String(n).padStart([7, 8, 10][i]!))
    .join('')
  console.log(`${name.padEnd(13)}${figures}  ${PARTS[name]!.tries}`)
}
const failed = results.filter(({ tally }) => tally.failures.length > 0 || tally.tries === 0)
const tries = results.reduce((sum, { tally }) => sum + tally.tries, 0)
console.log(
  failed.length === 0
    ? `\n${tries} tries, no failure`
    : `\nFAILED: ${failed.map(({ name }) => name).join(', ')}`,
)
process.exit(failed.length === 0 ? 0 : 1)

/** At least one round; more while there is time. */
async function runPart(name: string, part: Part, ms: number): Promise<{ rounds: number; tally: Tally }> {
  const tally = new Tally()
  const until = performance.now() + ms
  let rounds = 0
  while (rounds === 0 || performance.now() < until) {
    const seed = firstSeed + rounds++
    const scratch = mkdtempSync(join(tmpdir(), 'llara-campaign-'))
    const before = tally.failures.length
    try {
      await part.round({ random: new Random(seed), tally, model, scratch, until })
    } catch (error) {
      tally.fail(error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
    const failures = tally.failures.slice(before)
    for (const failure of failures) console.log(`${name}, seed ${seed}: ${failure}`)
    if (failures.length === 0) rmSync(scratch, { recursive: true, force: true })
    else console.log(`${name}, seed ${seed}: its files are in ${scratch}`)
  }
  console.log(`${name}: ${rounds} rounds, ${tally.tries} tries, ${tally.failures.length} failures`)
  return { rounds, tally }
}
