import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DiskFault, Recorder } from '../disk/recorder.ts'
import type { Part } from '../part.ts'
import { checkService } from '../world/check-service.ts'
import { ClientModel } from '../world/client-model.ts'
import { Service } from '../world/service.ts'
import { Writers } from '../world/writers.ts'

const WHATS = ['write', 'sync', 'read', 'short-write'] as const

/**
 * The disk fails under a working service: EIO, ENOSPC and short writes, once or for a while. It may say no, it may end
 * with a message; what it acknowledged must be there once the disk works again, and nothing else may have changed.
 */
export const diskFaults: Part = {
  tries: 'documents and searches checked after a fault of the disk',
  async round({ random, tally, model, scratch, until }) {
    const dataDir = join(scratch, 'data')
    mkdirSync(dataDir)
    const settings = {
      MODEL: model,
      DATA_DIR: dataDir,
      SNAPSHOT_CHANGES_MIN: '80',
      TOMBSTONE_PERCENT_MAX: '5',
    }
    const recorder = new Recorder(realpathSync(dataDir), scratch)
    const clients = new ClientModel()
    for (let life = 1; life <= 4 && performance.now() < until; life++) {
      const service = await Service.start({ ...settings, ...recorder.environment })
      const writers = new Writers(service, clients, () => performance.now()).start(3, random)
      await sleep(100 + random.below(400))
      const what = random.pick(WHATS)
      const fault: DiskFault = {
        what,
        error: what === 'write' && random.next() < 0.5 ? 'ENOSPC' : 'EIO',
        after: random.below(30),
        stays: random.next() < 0.5,
      }
      recorder.arm(fault)
      await sleep(200 + random.below(500))
      recorder.clear()
      await sleep(100)
      await writers.stop()
      const when = `${fault.error} on ${what}${fault.stays ? ' for a while' : ' once'}, life ${life}`
      if (service.process.child.exitCode === null) {
        const answer = await service.send('GET', '/readyz')
        tally.expect(
          answer?.status === 200 || answer?.status === 503,
          `${when}: /readyz answered ${answer?.status}`,
        )
        if (answer?.status === 200)
          await checkService(service, clients, { tally, random, when: `${when}, still running` })
      } else {
        // Ending is allowed; ending without a word is not.
        tally.expect(/\w/.test(service.process.output()), `${when}: it ended and said nothing`)
      }
      await service.crash()
      const next = await Service.start(settings)
      clients.settle(await checkService(next, clients, { tally, random, when: `${when}, started again` }))
      await next.stop()
    }
  },
}
