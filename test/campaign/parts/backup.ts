import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { launch } from '../../system/built-server.ts'
import type { Part } from '../part.ts'
import { checkService } from '../world/check-service.ts'
import { ClientModel } from '../world/client-model.ts'
import { Service } from '../world/service.ts'
import { Writers } from '../world/writers.ts'

const LIVES = 3

/** When a backup was asked for, and when the answer came. */
interface Attempt {
  begun: number
  ended: number
}

/**
 * Backups while clients write, and a kill -9 that may come in the middle of one. Every backup that is listed in the end
 * is restored, and holds what was acknowledged before it began; every one that was answered with 201 is listed.
 */
export const backup: Part = {
  tries: 'documents and searches checked in restored backups',
  async round({ random, tally, model, scratch, until }) {
    const settings = { MODEL: model, SNAPSHOT_CHANGES_MIN: '60', EXACT_SCORING_MAX: '50', BACKUPS_MAX: '50' }
    const environment = { ...settings, DATA_DIR: join(scratch, 'data'), BACKUP_DIR: join(scratch, 'backups') }
    const clients = new ClientModel()
    const attempts = new Map<string, Attempt>()
    for (let life = 1; life <= LIVES; life++) {
      const service = await Service.start(environment)
      const writers = new Writers(service, clients, () => performance.now()).start(3, random)
      await sleep(300)
      const backups = backUp(service, attempts, `life-${life}`)
      await sleep(200 + random.below(1500))
      const stopped = writers.stop()
      await service.crash()
      await Promise.all([stopped, backups])
    }
    const last = await Service.start(environment)
    const answer = await last.send('GET', '/backups')
    const listed = ((answer?.body['backups'] ?? []) as { name: string }[]).map(({ name }) => name)
    await last.stop()
    for (const [name, { ended }] of attempts)
      tally.expect(
        listed.includes(name) || ended === Number.POSITIVE_INFINITY,
        `backup ${name} was answered with 201 and is gone`,
      )
    for (const name of listed) {
      if (performance.now() > until && tally.tries > 100) return
      const restored = join(scratch, `restored-${name}`)
      const run = launch({}, ['restore', join(scratch, 'backups', name), '--data-dir', restored])
      const { code } = await run.exit
      tally.expect(code === 0, `restoring ${name} ended with ${code}: ${run.output().slice(-500)}`)
      if (code !== 0) continue
      const service = await Service.start({ ...settings, DATA_DIR: restored })
      const { begun, ended } = attempts.get(name)!
      await checkService(service, clients, { tally, random, time: begun, end: ended, when: `backup ${name}` })
      const said = /missing|lost|damage/i.exec(service.process.output())
      tally.expect(said === null, `backup ${name}: its first start raised an alarm about nothing`)
      await service.stop()
    }
  },
}

/** One backup after the other until the service is gone. */
async function backUp(service: Service, attempts: Map<string, Attempt>, prefix: string): Promise<void> {
  for (let i = 0; ; i++) {
    const attempt = { begun: performance.now(), ended: Number.POSITIVE_INFINITY }
    attempts.set(`${prefix}-${i}`, attempt)
    const answer = await service.send('POST', `/backups?name=${prefix}-${i}`)
    if (!answer) return
    if (answer.status !== 201)
      throw new Error(`a backup was answered ${answer.status}: ${JSON.stringify(answer.body)}`)
    attempt.ended = performance.now()
  }
}
