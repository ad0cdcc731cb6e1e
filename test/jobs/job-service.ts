import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../src/config/settings.ts'
import { openStored } from '../http/stored-service.ts'
import { scratchFolder } from '../index/scratch.ts'

export type JobService = Awaited<ReturnType<typeof openJobService>>

/** A job as the service shows it. */
export interface Shown {
  id: string
  state: string
  resumed: number
  result?: Record<string, unknown>
  errors_total: number
  error?: { code: string; detail: string }
  progress?: Record<string, unknown>
}

const ENDED = ['done', 'failed', 'cancelled']

/** The service with an import folder, over the embedded index in `dataDir`. */
export async function openJobService(dataDir: string, settings: Partial<Config> = {}) {
  const importDir = join(dataDir, 'import')
  await mkdir(importDir, { recursive: true })
  const service = await openStored(dataDir, { importDir, ...settings })
  const look = async (id: string): Promise<Shown> =>
    (await service.http().get(`/jobs/${id}`).expect(200)).body
  return {
    ...service,
    importDir,
    look,
    async create(body: object): Promise<Shown> {
      return (await service.http().post('/jobs').send(body).expect(202)).body
    },
    /** Waits until a job has ended, or is as wanted. */
    async until(id: string, wanted = (job: Shown) => ENDED.includes(job.state)): Promise<Shown> {
      for (;;) {
        const job = await look(id)
        if (wanted(job)) return job
        await sleep(20)
      }
    },
    async count(): Promise<number> {
      return (await service.http().post('/documents/query').send({ count: true, limit: 1 }).expect(200)).body
        .total
    },
  }
}

export const newDataDir = scratchFolder

/** Line `n` of a file: a document with an id, or without one. */
export function lineOf(n: number, { named = true } = {}): string {
  return JSON.stringify({
    ...(named && { id: `d${n}` }),
    text: `the sky of day ${n} is blue`,
    metadata: { n },
  })
}

export function writeLines(file: string, lines: readonly string[]): Promise<void> {
  return writeFile(file, `${lines.join('\n')}\n`)
}

export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}
