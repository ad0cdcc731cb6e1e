import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { Random } from '../../index/random.ts'
import type { Part, Tally } from '../part.ts'
import { Service } from '../world/service.ts'

const LIVES = 6
const LIFE_MS_MAX = 1500
const LINES = 1500

interface File {
  name: string
  /** Numbers of faulty lines. */
  faulty: number[]
}

/**
 * Imports of several files, and a kill -9 at a random moment, life after life. In the end every job is done: each good
 * line is stored once, with an id of its own or without, and each faulty one is listed once.
 */
export const jobs: Part = {
  tries: 'lines of files, stored or listed as faulty, after imports that were killed',
  async round({ random, tally, model, scratch }) {
    const importDir = join(scratch, 'import')
    mkdirSync(importDir)
    const files = ['a.ndjson', 'b.jsonl.gz', 'c.ndjson'].map((name) => makeFile(importDir, name, random))
    const environment = {
      MODEL: model,
      DATA_DIR: join(scratch, 'data'),
      IMPORT_DIR: importDir,
      INGEST_BATCH_DOCUMENTS: '16',
      JOBS_AT_ONCE: '2',
    }
    const ids: string[] = []
    for (let life = 1; life <= LIVES; life++) {
      const service = await Service.start(environment)
      if (life === 1) {
        for (const { name } of files) ids.push(await begin(service, name))
      }
      await sleep(random.below(LIFE_MS_MAX))
      await service.crash()
    }
    const last = await Service.start(environment)
    for (const [i, file] of files.entries()) await check(last, ids[i]!, file, tally)
    const stored = new Map<string, number>()
    for (const { text } of (await last.documents()).values()) stored.set(text, (stored.get(text) ?? 0) + 1)
    for (const { name, faulty } of files) {
      for (let line = 1; line <= LINES; line++) {
        const times = stored.get(textOf(name, line)) ?? 0
        const expected = faulty.includes(line) ? 0 : 1
        tally.expect(times === expected, `line ${line} of ${name} is stored ${times} times`)
      }
    }
    await last.stop()
  },
}

function textOf(name: string, line: number): string {
  return `line ${line} of the file ${name}`
}

function makeFile(folder: string, name: string, random: Random): File {
  const faulty: number[] = []
  const lines = Array.from({ length: LINES }, (_, i) => {
    const line = i + 1
    if (random.below(40) === 0) {
      faulty.push(line)
      return '{"text":'
    }
    const id = random.below(2) === 0 ? { id: `${name}-${line}` } : {}
    return JSON.stringify({ ...id, text: textOf(name, line) })
  }).join('\n')
  writeFileSync(join(folder, name), name.endsWith('.gz') ? gzipSync(lines) : lines)
  return { name, faulty }
}

async function begin(service: Service, file: string): Promise<string> {
  const answer = await service.send('POST', '/jobs', { kind: 'import', file })
  if (answer?.status !== 202) throw new Error(`a job was answered ${answer?.status}`)
  return String(answer.body['id'])
}

/** Waits until a job has ended, and compares what it says with its file. */
async function check(service: Service, id: string, { name, faulty }: File, tally: Tally): Promise<void> {
  for (;;) {
    const answer = await service.send('GET', `/jobs/${id}`)
    service.mustLive()
    const { state, error, result } = answer!.body as { state: string; error?: unknown; result?: Result }
    if (!['done', 'failed', 'cancelled'].includes(state)) {
      await sleep(50)
      continue
    }
    tally.expect(state === 'done', `the import of ${name} ${state}: ${JSON.stringify(error)}`)
    const { lines, created = 0, updated = 0, failed } = result ?? {}
    const right = lines === LINES && failed === faulty.length && created + updated === LINES - faulty.length
    tally.expect(right, `the import of ${name} says ${JSON.stringify(result)}`)
    break
  }
  const answer = await service.send('GET', `/jobs/${id}/errors?limit=1000`)
  const listed = (answer!.body['errors'] as { line: number }[]).map(({ line }) => line)
  tally.expect(
    JSON.stringify(listed) === JSON.stringify(faulty),
    `errors of ${name} are of the lines ${listed.join()} and not ${faulty.join()}`,
  )
}

interface Result {
  lines: number
  created: number
  updated: number
  failed: number
}
