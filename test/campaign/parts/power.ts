import { mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cutPower } from '../disk/power-cut.ts'
import { Recorder } from '../disk/recorder.ts'
import type { Part } from '../part.ts'
import { checkService } from '../world/check-service.ts'
import { ClientModel } from '../world/client-model.ts'
import { Service } from '../world/service.ts'
import { Writers } from '../world/writers.ts'

const CUTS = 4

/**
 * Everything a service does to its disk is recorded; then disks are made as they could be after the power went at
 * some moment: whatever was not waited for may be there, torn, or missing. A service must start on each and have all
 * that was acknowledged before that moment.
 */
export const power: Part = {
  tries: 'documents and searches checked after a power cut',
  async round({ random, tally, model, scratch, until }) {
    const dataDir = join(scratch, 'data')
    mkdirSync(dataDir)
    const recorder = new Recorder(realpathSync(dataDir), scratch)
    const settings = {
      MODEL: model,
      SNAPSHOT_CHANGES_MIN: '80',
      TOMBSTONE_PERCENT_MAX: '5',
      EXACT_SCORING_MAX: '50',
    }
    const clients = new ClientModel()
    const first = await Service.start({ ...settings, DATA_DIR: dataDir, ...recorder.environment })
    const opened = recorder.position()
    const writers = new Writers(first, clients, () => recorder.position()).start(3, random)
    await sleep(300 + random.below(1500))
    const stopped = writers.stop()
    await first.crash()
    await stopped

    const log = readFileSync(recorder.log)
    for (let cut = 0; cut < CUTS && performance.now() < until; cut++) {
      const position = cut === 0 ? log.length : opened + random.below(log.length - opened)
      const after = join(scratch, `cut-${cut}`)
      mkdirSync(after)
      cutPower(log, position, realpathSync(dataDir), after, random)
      const service = await Service.start({ ...settings, DATA_DIR: after })
      const when = `power cut at ${position} of ${log.length}`
      await checkService(service, clients, { tally, random, when, time: position })
      await service.stop()
    }
  },
}
