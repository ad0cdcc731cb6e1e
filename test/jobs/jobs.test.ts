import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { openService } from '../http/service.ts'
import { flip } from '../index/whole-folder.ts'
import { type JobService, lineOf, newDataDir, numbers, openJobService, writeLines } from './job-service.ts'

/** Small batches, so that an import takes a while. */
const SLOW = { ingestBatchDocuments: 4 }

/** Writes a file of `count` lines and begins its import. */
async function begin(service: JobService, name: string, count: number) {
  const lines = numbers(count).map((n) => JSON.stringify({ id: `${name}${n}`, text: `the sea of day ${n}` }))
  await writeLines(join(service.importDir, `${name}.ndjson`), lines)
  return service.create({ kind: 'import', file: `${name}.ndjson` })
}

const underWay = ({ progress }: { progress?: object }) => progress !== undefined

test('jobs wait in order and run one at a time; a cancelled one stops at once and keeps what it stored', async () => {
  const service = await openJobService(await newDataDir(), SLOW)
  const first = await begin(service, 'a', 3000)
  const second = await begin(service, 'b', 20)
  const third = await begin(service, 'c', 20)
  const working = await service.until(first.id, ({ progress }) => progress?.['rate'] !== undefined)
  expect(working.state).toBe('running')
  expect(working.progress).toMatchObject({
    unit: 'bytes',
    rate: expect.any(Number),
    eta_s: expect.any(Number),
  })
  expect((await service.look(second.id)).state).toBe('queued')
  expect((await service.http().get('/metrics').expect(200)).text).toContain(
    'llara_jobs{kind="import",state="queued"} 2',
  )
  const cancelled = await service.http().post(`/jobs/${second.id}/cancel`).expect(202)
  expect(cancelled.body).toMatchObject({ state: 'cancelled', ended_at: expect.any(String) })
  const began = performance.now()
  await service.http().post(`/jobs/${first.id}/cancel`).expect(202)
  const { state, result } = await service.until(first.id)
  expect(performance.now() - began).toBeLessThan(2000)
  expect(state).toBe('cancelled')
  expect(await service.until(third.id)).toMatchObject({ state: 'done' })
  const metrics = (await service.http().get('/metrics').expect(200)).text
  expect(metrics).toContain('llara_jobs_ended_total{kind="import",state="cancelled"} 2\n')
  expect(metrics).toContain('llara_jobs_ended_total{kind="import",state="done"} 1\n')
  const items = /llara_job_items_total\{kind="import"\} (\d+)/.exec(metrics)?.[1]
  expect(Number(items)).toBe(Number(result?.['lines']) + 20)
  expect(await service.count()).toBe(Number(result?.['created']) + 20)
  // Of what has ended nothing changes.
  const again = await service.http().post(`/jobs/${third.id}/cancel`).expect(202)
  expect(again.body.state).toBe('done')
  const listed = (await service.http().get('/jobs').expect(200)).body.jobs
  expect(listed.map(({ id }: { id: string }) => id)).toEqual([third.id, second.id, first.id])
  const { body } = await service.http().post(`/jobs/${third.id}/resume`).expect(422)
  expect(body.detail).toContain('The job is done')
})

test('a service that stops lets jobs go on after its next start, those that ran first', async () => {
  const dataDir = await newDataDir()
  const first = await openJobService(dataDir, SLOW)
  const running = await begin(first, 'a', 400)
  const queued = await begin(first, 'b', 20)
  await first.until(running.id, underWay)
  const began = performance.now()
  await first.close()
  expect(performance.now() - began).toBeLessThan(5000)

  const second = await openJobService(dataDir)
  const [a, b] = [await second.until(running.id), await second.until(queued.id)]
  expect(a).toMatchObject({ state: 'done', resumed: 1, result: { lines: 400, created: 400, updated: 0 } })
  expect(b).toMatchObject({ state: 'done', resumed: 0 })
  expect(await second.count()).toBe(420)
})

test('searches are answered while an import runs, and the job counts against no request limit', async () => {
  const service = await openJobService(await newDataDir(), { ...SLOW, requestsMax: 1 })
  const { id } = await begin(service, 'a', 300)
  await service.until(id, underWay)
  await service.http().post('/search').send({ query: 'sea' }).expect(200)
  expect((await service.look(id)).state).toBe('running')
  await service.http().post(`/jobs/${id}/cancel`).expect(202)
})

test('only so many jobs may wait, and so many are remembered, with their errors', async () => {
  const dataDir = await newDataDir()
  const service = await openJobService(dataDir, { ...SLOW, jobsQueuedMax: 2, jobsKeptMax: 2 })
  const running = await begin(service, 'a', 3000)
  await service.until(running.id, underWay)
  const waiting = [await service.create({ kind: 'verify' }), await service.create({ kind: 'verify' })]
  const { body, headers } = await service.http().post('/jobs').send({ kind: 'verify' }).expect(429)
  expect(body).toMatchObject({ code: 'OVERLOADED', details: { limit: 2 } })
  expect(headers['retry-after']).toBe('5')
  await service.http().post(`/jobs/${running.id}/cancel`).expect(202)
  for (const { id } of waiting) await service.until(id).catch(() => {})
  await writeLines(join(service.importDir, 'bad.ndjson'), ['{}', lineOf(1)])
  const bad = await service.create({ kind: 'import', file: 'bad.ndjson' })
  expect(await service.until(bad.id)).toMatchObject({ state: 'done', errors_total: 1 })
  await service.http().get(`/jobs/${running.id}`).expect(404)
  for (let i = 0; i < 2; i++) await service.until((await service.create({ kind: 'verify' })).id)
  await expect.poll(() => readdir(join(dataDir, 'records/job-errors'))).toEqual([])
  expect(await readdir(join(dataDir, 'records/jobs'))).toHaveLength(2)
})

test('a damaged record of a job is said, and the others go on', async () => {
  const dataDir = await newDataDir()
  const first = await openJobService(dataDir)
  const lost = await first.create({ kind: 'verify' })
  const kept = await first.create({ kind: 'verify' })
  await first.until(kept.id)
  await first.close()
  await flip(join(dataDir, `records/jobs/${lost.id}.json`), 40)
  const second = await openJobService(dataDir)
  expect(second.log.join('')).toContain(`records/jobs/${lost.id}.json in the data folder is damaged`)
  await second.http().get(`/jobs/${lost.id}`).expect(404)
  expect((await second.look(kept.id)).state).toBe('done')
})

describe('a backup as a job', () => {
  test('is made under its name, or under the id of the job', async () => {
    const service = await openJobService(await newDataDir())
    await service
      .http()
      .post('/documents')
      .send({ documents: [{ id: 'a', text: 'the sky' }] })
      .expect(200)
    const named = await service.create({ kind: 'backup', name: 'nightly' })
    const other = await service.create({ kind: 'backup' })
    expect(await service.until(named.id)).toMatchObject({
      state: 'done',
      result: { name: 'nightly', documents: 1, collections: 1, removed: [] },
    })
    expect(await service.until(other.id)).toMatchObject({ state: 'done', result: { name: other.id } })
    const { body } = await service.http().get('/backups').expect(200)
    expect(body.backups.map(({ name }: { name: string }) => name)).toEqual([other.id, 'nightly'])
    const refused = await service.http().post('/jobs').send({ kind: 'backup', name: 'nightly' }).expect(422)
    expect(refused.body.details).toEqual({ field: 'name' })
    await service.http().post('/jobs').send({ kind: 'backup', name: '../x' }).expect(422)
  })
})

describe('a check as a job', () => {
  test('says that all is whole, or what is not, and goes on while documents come', async () => {
    const dataDir = await newDataDir()
    const service = await openJobService(dataDir, { scrubHours: 0 })
    await service.until((await begin(service, 'a', 300)).id)
    const whole = await service.create({ kind: 'verify' })
    await service
      .http()
      .post('/documents')
      .send({ documents: [{ id: 'x', text: 'the needle' }] })
      .expect(200)
    expect(await service.until(whole.id)).toMatchObject({
      state: 'done',
      errors_total: 0,
      result: { whole: true, collections: 1, damaged_documents: 0 },
    })
    await service.close()
    const { readFile } = await import('node:fs/promises')
    const database = join(dataDir, 'store.sqlite')
    await flip(database, (await readFile(database)).lastIndexOf('the needle'))
    await flip(join(dataDir, `records/jobs/${whole.id}.json`), 30)
    const again = await openJobService(dataDir, { scrubHours: 0 })
    const { id } = await again.create({ kind: 'verify' })
    expect(await again.until(id)).toMatchObject({
      state: 'done',
      result: { whole: false, documents: 300, damaged_documents: 1 },
      errors_total: 2,
    })
    const { body } = await again.http().get(`/jobs/${id}/errors`).expect(200)
    expect(body.errors).toMatchObject([
      { id: 'x', code: 'DOCUMENT_DAMAGED' },
      { code: 'STORE_UNUSABLE', detail: expect.stringContaining(`records/jobs/${whole.id}.json`) },
    ])
  })

  test('stops at once when it is cancelled', async () => {
    const service = await openJobService(await newDataDir(), { scrubHours: 0 })
    const { id } = await service.create({ kind: 'verify' })
    await sleep(5)
    await service.http().post(`/jobs/${id}/cancel`).expect(202)
    expect(['cancelled', 'done']).toContain((await service.until(id)).state)
  })
})

test('requests are checked by the kind that they name', async () => {
  const service = await openJobService(await newDataDir())
  const cases: [unknown, string][] = [
    [{}, 'The body lacks kind.'],
    [{ kind: 'export' }, 'kind must be one of import, reindex, rechunk, backup, verify.'],
    [[], 'The body must be object.'],
    [{ kind: 'import' }, 'The body lacks file.'],
    [{ kind: 'import', file: 1 }, 'file must be string.'],
    [{ kind: 'import', file: 'a.ndjson', name: 'x' }, 'The body has unknown fields: name.'],
    [{ kind: 'import', file: 'a.ndjson', truncate: 'start' }, 'truncate must be one of error, end.'],
    [{ kind: 'verify', file: 'a.ndjson' }, 'The body has unknown fields: file.'],
  ]
  for (const [sent, detail] of cases) {
    const { body } = await service
      .http()
      .post('/jobs')
      .send(sent as object)
      .expect(422)
    expect(body.detail).toBe(detail)
  }
  await writeLines(join(service.importDir, 'a.ndjson'), [lineOf(1)])
  const file = 'a.ndjson'
  await service.http().post('/jobs').send({ kind: 'import', file, collection: 'nobody' }).expect(404)
  await service
    .http()
    .post('/jobs')
    .send({ kind: 'import', file, collection: null, truncate: null })
    .expect(202)
  for (const id of ['x', '..%2f..%2fetc', '%00']) {
    await service.http().get(`/jobs/${id}`).expect(404)
    await service.http().post(`/jobs/${id}/cancel`).expect(404)
    await service.http().get(`/jobs/${id}/errors`).expect(404)
  }
})

test('keys need the scope write, and what they begin and stop is in the audit log', async () => {
  const apiKeys = [
    { scope: 'read' as const, key: 'r'.repeat(20) },
    { scope: 'write' as const, key: 'w'.repeat(20), name: 'ci' },
  ]
  const { http, log } = await openJobService(await newDataDir(), { apiKeys, logLevel: 'info' })
  const as = (key: string) => ({ authorization: `Bearer ${key.repeat(20)}` })
  await http().post('/jobs').set(as('r')).send({ kind: 'verify' }).expect(403)
  await http().get('/jobs').set(as('r')).expect(403)
  await http().get('/jobs').expect(401)
  const { body } = await http().post('/jobs').set(as('w')).send({ kind: 'verify' }).expect(202)
  await http().post(`/jobs/${body.id}/cancel`).set(as('w')).expect(202)
  const audited = () =>
    log.filter((line) => line.includes('"audit":true') && line.includes('"key_name":"ci"'))
  await expect
    .poll(() => audited().map((line) => JSON.parse(line).route))
    .toEqual(['/jobs', '/jobs/:id/cancel'])
})

test('an index without backups or a check of its own says so, and so does a lost import folder', async () => {
  const other = await openService()
  for (const kind of ['backup', 'verify']) await other.http().post('/jobs').send({ kind }).expect(404)
  await other.close()
  const service = await openJobService(await newDataDir())
  await rm(service.importDir, { recursive: true })
  const { body } = await service.http().post('/jobs').send({ kind: 'import', file: 'a.ndjson' }).expect(422)
  expect(body.detail).toContain('The import folder (IMPORT_DIR) cannot be read (ENOENT)')
})
