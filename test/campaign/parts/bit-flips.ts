import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../index/random.ts'
import { type Part, Tally } from '../part.ts'
import { checkService } from '../world/check-service.ts'
import { ClientModel } from '../world/client-model.ts'
import { Service } from '../world/service.ts'
import { Writers } from '../world/writers.ts'

const FLIPS = 12

/**
 * One bit of one file is turned over while the service does not run. It may refuse to start and say why; it may leave
 * out what is damaged and say so; else every answer must be right.
 */
export const bitFlips: Part = {
  tries: 'documents and searches checked after a flipped bit',
  async round({ random, tally, model, scratch, until }) {
    const original = join(scratch, 'data')
    const settings = { MODEL: model, SNAPSHOT_CHANGES_MIN: '80', EXACT_SCORING_MAX: '50' }
    const clients = new ClientModel()
    const first = await Service.start({ ...settings, DATA_DIR: original })
    const writers = new Writers(first, clients, () => performance.now()).start(3, random)
    await sleep(1200)
    await writers.stop()
    // Half of the time a log that was not folded into the database is left.
    await (random.next() < 0.5 ? first.stop() : first.crash())
    for (let flip = 0; flip < FLIPS && performance.now() < until; flip++) {
      const damaged = join(scratch, `flip-${flip}`)
      cpSync(original, damaged, { recursive: true })
      const what = flipBit(damaged, random)
      await judge({ ...settings, DATA_DIR: damaged }, clients, { random, tally, what })
    }
  },
}

/** Turns one bit over; large files are likelier. Returns where. */
function flipBit(folder: string, random: Random): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('-shm'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => statSync(file).size > 0)
  const file = random.pick(files)
  const bytes = readFileSync(file)
  const at = random.below(bytes.length)
  const bit = random.below(8)
  bytes[at]! ^= 1 << bit
  writeFileSync(file, bytes)
  return `bit ${bit} of byte ${at} of ${file.slice(folder.length + 1)}`
}

/** What the service says about damage, in its log or to an operator. */
const SAYS_DAMAGE = /damage|corrupt|missing|lost|rebuil|cannot be (read|used)|does not match/i

async function judge(
  environment: Record<string, string>,
  clients: ClientModel,
  { random, tally, what }: { random: Random; tally: Tally; what: string },
): Promise<void> {
  let service: Service
  try {
    service = await Service.start(environment)
  } catch (error) {
    const output = error instanceof Error ? error.message : ''
    tally.expect(SAYS_DAMAGE.test(output), `${what}: it did not start and said: ${output.slice(-500)}`)
    return
  }
  const seen = new Tally()
  const documents = await checkService(service, clients, { tally: seen, random, when: what })
  const said = SAYS_DAMAGE.test(service.process.output())
  await service.crash()
  tally.tried(seen.tries)
  // What is said to be damaged may be left out or be as it was earlier, but never something else.
  if (!said) for (const failure of seen.failures) tally.fail(`${failure}, and nothing was said`)
  for (const id of clients.invented(documents)) tally.fail(`${what}: ${id} is as nobody sent it`)
}
