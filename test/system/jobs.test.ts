import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { tinyModel } from '../fixtures/tiny-model.ts'
import { lineOf, numbers, type Shown, writeLines } from '../jobs/job-service.ts'
import { type Running, startServer, temporaryFolder } from './built-server.ts'

const running: Running[] = []
afterEach(() => Promise.all(running.splice(0).map((server) => server.kill('SIGKILL'))))

async function start(dataDir: string): Promise<Running> {
  const importDir = join(dataDir, 'import')
  mkdirSync(importDir, { recursive: true })
  const server = await startServer({
    MODEL: await tinyModel(),
    DATA_DIR: dataDir,
    IMPORT_DIR: importDir,
    INGEST_BATCH_DOCUMENTS: '8',
    JOBS_AT_ONCE: '2',
  })
  running.push(server)
  return server
}

async function ask(server: Running, path: string, body?: object) {
  const options = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
  return (await (await fetch(server.url + path, options)).json()) as Shown & Record<string, unknown>
}

test('after every kill -9 an import goes on by itself: nothing is lost, and nothing is there twice', async () => {
  const dataDir = temporaryFolder()
  let server = await start(dataDir)
  const faulty = (n: number) => n % 50 === 0
  const lines = numbers(2000).map((n) => (faulty(n) ? '{"text":1}' : lineOf(n, { named: n % 2 === 0 })))
  await writeLines(join(dataDir, 'import/all.ndjson'), lines)
  const { id } = await ask(server, '/jobs', { kind: 'import', file: 'all.ndjson' })
  const queued = await Promise.all(['b', 'c'].map((name) => ask(server, '/jobs', { kind: 'backup', name })))

  const seen: number[] = []
  for (let kills = 0; kills < 3; kills++) {
    const begun = seen.at(-1) ?? 0
    for (;;) {
      const { result, state } = await ask(server, `/jobs/${id}`)
      const done = Number(result?.['lines'] ?? 0)
      // Some way into it, and past a checkpoint.
      if (done > begun + 100 || state === 'done') {
        seen.push(done)
        break
      }
      await sleep(5)
    }
    await server.kill('SIGKILL')
    server = await start(dataDir)
  }
  let job = await ask(server, `/jobs/${id}`)
  for (; job.state !== 'done'; job = await ask(server, `/jobs/${id}`)) await sleep(20)

  expect(seen[0]).toBeLessThan(1900)
  expect(job.resumed).toBeGreaterThan(0)
  const good = 2000 - lines.filter((_, i) => faulty(i + 1)).length
  const { created, updated, ...counts } = job.result as { created: number; updated: number }
  expect(counts).toEqual({ lines: 2000, failed: 2000 - good })
  // Lines between the last checkpoint and a kill are read again, and replace themselves.
  expect(created + updated).toBe(good)
  const { errors, total } = await ask(server, `/jobs/${id}/errors?limit=1000`)
  expect(total).toBe(2000 - good)
  expect((errors as { line: number }[]).map(({ line }) => line)).toEqual(numbers(2000).filter(faulty))

  const stored: { id: string; metadata: { n: number } }[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = (await ask(server, '/documents/query', {
      limit: 1000,
      ...(cursor && { cursor }),
    })) as unknown as {
      documents: typeof stored
      next_cursor: string | null
    }
    stored.push(...page.documents)
    cursor = page.next_cursor
  }
  expect(stored.map(({ metadata }) => metadata.n).sort((a, b) => a - b)).toEqual(
    numbers(2000).filter((n) => !faulty(n)),
  )
  for (const { id: backup } of queued) {
    let other = await ask(server, `/jobs/${backup}`)
    for (; !['done', 'failed'].includes(other.state); other = await ask(server, `/jobs/${backup}`))
      await sleep(20)
    expect(other).toMatchObject({ state: 'done' })
  }
})

test('a job that was to be cancelled does not go on after a kill -9', async () => {
  const dataDir = temporaryFolder()
  const first = await start(dataDir)
  await writeLines(
    join(dataDir, 'import/all.ndjson'),
    numbers(3000).map((n) => lineOf(n)),
  )
  const { id } = await ask(first, '/jobs', { kind: 'import', file: 'all.ndjson' })
  while (!(await ask(first, `/jobs/${id}`)).progress) await sleep(5)
  const { status } = await fetch(`${first.url}/jobs/${id}/cancel`, { method: 'POST' })
  await first.kill('SIGKILL')
  const second = await start(dataDir)
  expect(status).toBe(202)
  expect(await ask(second, `/jobs/${id}`)).toMatchObject({ state: 'cancelled', ended_at: expect.any(String) })
})
