import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sendRaw } from '../fuzz/raw-request.ts'
import { fuzzRequest } from '../fuzz/requests.ts'
import type { Part } from '../part.ts'
import { checkService } from '../world/check-service.ts'
import { ClientModel } from '../world/client-model.ts'
import { type ProcessFacts, processFacts } from '../world/process-facts.ts'
import { Service } from '../world/service.ts'
import { Writers } from '../world/writers.ts'

const WARM_UP_MS = 8000
const SAMPLE_MS = 1000
/** Memory that a heap may take and give back at its leisure. */
const RESIDENT_SLACK_MIB = 250
/** Connections that are just closing, temporary files. */
const FILES_SLACK = 10

/**
 * One process under mixed load for as long as there is time: writes that replace each other, damaged requests, searches. What
 * it holds when the load is over must be about what it held after a warm-up: no file, thread or memory is left behind.
 */
export const soak: Part = {
  tries: 'requests to one process whose memory, files and threads were watched',
  async round({ random, tally, model, scratch, until }) {
    const settings = { SNAPSHOT_CHANGES_MIN: '500', TOMBSTONE_PERCENT_MAX: '10', EXACT_SCORING_MAX: '50' }
    const service = await Service.start({ ...settings, MODEL: model, DATA_DIR: join(scratch, 'data') })
    const pid = service.process.child.pid!
    const clients = new ClientModel()
    const load = async (ms: number): Promise<ProcessFacts[]> => {
      const samples: ProcessFacts[] = []
      const end = performance.now() + ms
      const writers = new Writers(service, clients, () => performance.now()).start(3, random)
      const attacks = async () => {
        while (performance.now() < end) {
          await sendRaw(service.process.url, onlyReading(random))
          tally.tried()
        }
      }
      const sampling = async () => {
        for (; performance.now() < end; await sleep(SAMPLE_MS)) samples.push(processFacts(pid))
      }
      await Promise.all([attacks(), attacks(), sampling()])
      await writers.stop()
      tally.tried([...writers.answers.values()].reduce((sum, count) => sum + count, 0))
      await sleep(500)
      return [...samples, processFacts(pid)]
    }
    const warm = (await load(WARM_UP_MS)).at(-1)!
    const samples = await load(Math.max(until - performance.now() - 3000, WARM_UP_MS))
    const last = samples.at(-1)!
    const path = [
      warm,
      ...[0.25, 0.5, 0.75].map((share) => samples[Math.floor(share * samples.length)]!),
      last,
    ]
    const line = (name: keyof ProcessFacts) => path.map((facts) => facts[name]).join(' ')
    console.log(`soak: MiB ${line('residentMib')}, files ${line('files')}, threads ${line('threads')}`)
    tally.expect(
      last.files <= warm.files + FILES_SLACK,
      `open files went from ${warm.files} to ${last.files}`,
    )
    tally.expect(last.threads <= warm.threads, `threads went from ${warm.threads} to ${last.threads}`)
    tally.expect(
      last.residentMib <= 1.3 * warm.residentMib + RESIDENT_SLACK_MIB,
      `memory went from ${warm.residentMib} to ${last.residentMib} MiB`,
    )
    await checkService(service, clients, { tally, random, when: 'after the load' })
    await service.stop()
  },
}

/** The model of what clients sent must stay true: nothing that stores or removes. */
function onlyReading(random: Parameters<typeof fuzzRequest>[0]): ReturnType<typeof fuzzRequest> {
  for (;;) {
    const request = fuzzRequest(random)
    const writes = request.path === '/documents' && request.method === 'POST'
    if (!writes && request.method !== 'DELETE' && !/\/(delete|patch)$/.test(request.path)) return request
  }
}
