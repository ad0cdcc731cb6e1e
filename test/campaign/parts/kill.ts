import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Part } from '../part.ts'
import { checkService } from '../world/check-service.ts'
import { ClientModel } from '../world/client-model.ts'
import { Service } from '../world/service.ts'
import { Writers } from '../world/writers.ts'

const LIVES = 5
const LIFE_MS_MAX = 1500

/**
 * One data folder through several lives: clients write, the process is killed at a random moment (also while the graph
 * is saved or built again, which these settings make frequent), and the next life must have all that was acknowledged.
 */
export const kill: Part = {
  tries: 'documents and searches checked after a kill -9',
  async round({ random, tally, model, scratch, until }) {
    const clients = new ClientModel()
    const environment = {
      MODEL: model,
      DATA_DIR: join(scratch, 'data'),
      SNAPSHOT_CHANGES_MIN: '60',
      TOMBSTONE_PERCENT_MAX: '5',
      EXACT_SCORING_MAX: '50',
    }
    for (let life = 1; life <= LIVES && performance.now() < until; life++) {
      const service = await Service.start(environment)
      if (life > 1) {
        clients.settle(await checkService(service, clients, { tally, random, when: `life ${life}` }))
      }
      const writers = new Writers(service, clients, () => performance.now()).start(3, random)
      await sleep(random.below(LIFE_MS_MAX))
      const stopped = writers.stop()
      await service.crash()
      await stopped
    }
    const last = await Service.start(environment)
    await checkService(last, clients, { tally, random, when: 'at the end' })
    await last.stop()
  },
}
