import { spawnSync } from 'node:child_process'
import { appendFile, mkdir, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { lineOf, newDataDir, numbers, openJobService, writeLines } from './job-service.ts'

test('a file of 2,000 lines, some of them faulty, is stored; the errors are listed by line, in pages', async () => {
  const service = await openJobService(await newDataDir())
  const { http, importDir } = service
  const faulty = new Map(
    numbers(2000)
      .filter((n) => n % 13 === 0)
      .map((n) => [n, ['{"text":', '{"text":""}', '[]', '{"text":"x","colour":1}', '\u0000'][n % 5]!]),
  )
  const lines = numbers(2000).map((n) => faulty.get(n) ?? lineOf(n, { named: n % 2 === 0 }))
  await mkdir(join(importDir, '2026'))
  await writeLines(join(importDir, '2026/all.ndjson'), lines)

  const created = await http().post('/jobs').send({ kind: 'import', file: '2026/all.ndjson' }).expect(202)
  const { id } = created.body
  expect(created.headers['location']).toBe(`/jobs/${id}`)
  expect(created.body).toMatchObject({
    kind: 'import',
    parameters: { file: '2026/all.ndjson', collection: 'default', truncate: 'end' },
    resumed: 0,
  })
  const job = await service.until(id)
  const failed = faulty.size
  expect(job).toMatchObject({
    state: 'done',
    result: { lines: 2000, created: 2000 - failed, updated: 0, failed },
    errors_total: failed,
    progress: { unit: 'bytes' },
  })
  expect(job.progress?.['done']).toBe(job.progress?.['total'])
  expect(job).toHaveProperty('ended_at')
  expect(await service.count()).toBe(2000 - failed)
  // A document without an id is named by job and line.
  await http().get(`/documents/${id}-15`).expect(200)

  const read: { line: number; code: string }[] = []
  for (let offset = 0; ; offset += 40) {
    const { body } = await http().get(`/jobs/${id}/errors?offset=${offset}&limit=40`).expect(200)
    expect(body).toMatchObject({ total: failed, kept: failed })
    if (body.errors.length === 0) break
    read.push(...body.errors)
  }
  expect(read.map(({ line }) => line)).toEqual([...faulty.keys()])
  expect(new Set(read.map(({ code }) => code))).toEqual(new Set(['INVALID_INPUT']))
  expect((await http().get('/jobs').expect(200)).body.jobs).toMatchObject([{ id, state: 'done' }])
})

test('a gzip file is unpacked on the way, also where it was put together of several', async () => {
  const service = await openJobService(await newDataDir())
  const parts = [numbers(300), numbers(400).slice(300)].map((part) =>
    gzipSync(`${part.map((n) => lineOf(n)).join('\n')}\n`),
  )
  await writeFile(join(service.importDir, 'all.jsonl.gz'), Buffer.concat(parts))
  const { id } = await service.create({ kind: 'import', file: 'all.jsonl.gz' })
  expect(await service.until(id)).toMatchObject({ state: 'done', result: { created: 400 } })
})

test('the errors kept have a limit, and are counted beyond it; a file without any good line fails', async () => {
  const service = await openJobService(await newDataDir(), { jobErrorsMax: 150, ingestBatchDocuments: 64 })
  await writeLines(
    join(service.importDir, 'bad.ndjson'),
    numbers(1000).map(() => '{}'),
  )
  const { id } = await service.create({ kind: 'import', file: 'bad.ndjson' })
  expect(await service.until(id)).toMatchObject({
    state: 'failed',
    error: { code: 'INVALID_INPUT', detail: expect.stringContaining('no document that could be stored') },
    errors_total: 1000,
    result: { lines: 1000, failed: 1000 },
  })
  const { body } = await service.http().get(`/jobs/${id}/errors?offset=90&limit=1000`).expect(200)
  expect(body).toMatchObject({ kept: 150, total: 1000 })
  expect(body.errors.map(({ line }: { line: number }) => line)).toEqual(numbers(150).slice(90))
})

test('texts too long are faults of their lines with truncate: error', async () => {
  const service = await openJobService(await newDataDir())
  const long = JSON.stringify({ id: 'long', text: 'word '.repeat(3000) })
  await writeLines(join(service.importDir, 'a.ndjson'), [lineOf(1), long, lineOf(3)])
  const { id } = await service.create({ kind: 'import', file: 'a.ndjson', truncate: 'error' })
  expect(await service.until(id)).toMatchObject({ state: 'done', result: { created: 2, failed: 1 } })
  const { body } = await service.http().get(`/jobs/${id}/errors`).expect(200)
  expect(body.errors).toMatchObject([{ line: 2, code: 'TEXT_TOO_LONG' }])
})

describe('the import folder', () => {
  test('is not left, by no name and no link', async () => {
    const dataDir = await newDataDir()
    const service = await openJobService(dataDir)
    const { http, importDir } = service
    await writeLines(join(dataDir, 'secret.ndjson'), [lineOf(1)])
    await writeLines(join(importDir, 'inside.ndjson'), [lineOf(1)])
    await mkdir(join(importDir, 'folder.ndjson'))
    await symlink(join(dataDir, 'secret.ndjson'), join(importDir, 'link.ndjson'))
    await symlink(dataDir, join(importDir, 'out'))
    await symlink('inside.ndjson', join(importDir, 'good-link.ndjson'))
    await symlink('/dev/zero', join(importDir, 'zero.ndjson'))
    await symlink(join(importDir, 'nowhere'), join(importDir, 'dangling.ndjson'))
    expect(spawnSync('mkfifo', [join(importDir, 'pipe.ndjson')]).status).toBe(0)
    const refused: [string, number][] = [
      ['../secret.ndjson', 422],
      ['a/../../secret.ndjson', 422],
      [join(dataDir, 'secret.ndjson'), 422],
      ['./inside.ndjson', 422],
      ['out/secret.ndjson', 422],
      ['link.ndjson', 422],
      ['zero.ndjson', 422],
      ['pipe.ndjson', 422],
      ['folder.ndjson', 422],
      ['..\\secret.ndjson', 422],
      ['inside.ndjson\0', 422],
      ['inside.csv', 422],
      ['', 422],
      ['..', 422],
      [`${'a/'.repeat(600)}b.ndjson`, 422],
      ['dangling.ndjson', 404],
      ['missing.ndjson', 404],
      ['inside.ndjson/x.ndjson', 404],
    ]
    for (const [file, status] of refused) {
      const { body } = await http().post('/jobs').send({ kind: 'import', file }).expect(status)
      expect(body.details?.field).toBe('file')
      expect(JSON.stringify(body)).not.toContain(dataDir)
    }
    expect((await http().get('/jobs').expect(200)).body).toEqual({ jobs: [] })
    const { id } = await service.create({ kind: 'import', file: 'good-link.ndjson' })
    expect(await service.until(id)).toMatchObject({ state: 'done', result: { created: 1 } })
  })

  test('must be set', async () => {
    const service = await openJobService(await newDataDir(), { importDir: '' })
    const { body } = await service.http().post('/jobs').send({ kind: 'import', file: 'a.ndjson' }).expect(422)
    expect(body.detail).toContain('IMPORT_DIR')
  })
})

test('a file that is damaged, or changes while it is read, fails its job and says so', async () => {
  const service = await openJobService(await newDataDir(), { ingestBatchDocuments: 8 })
  const { importDir } = service
  const packed = gzipSync(
    numbers(1500)
      .map((n) => lineOf(n))
      .join('\n'),
  )
  await writeFile(join(importDir, 'cut.ndjson.gz'), packed.subarray(0, packed.length / 2))
  await writeFile(join(importDir, 'plain.ndjson.gz'), lineOf(1))
  await writeLines(
    join(importDir, 'grows.ndjson'),
    numbers(600).map((n) => lineOf(n)),
  )
  for (const file of ['cut.ndjson.gz', 'plain.ndjson.gz']) {
    const { id } = await service.create({ kind: 'import', file })
    expect(await service.until(id)).toMatchObject({
      state: 'failed',
      error: { code: 'INVALID_INPUT', detail: expect.stringContaining('cannot be unpacked') },
    })
  }
  const { id } = await service.create({ kind: 'import', file: 'grows.ndjson' })
  await service.until(id, ({ progress }) => progress !== undefined)
  await appendFile(join(importDir, 'grows.ndjson'), lineOf(601))
  expect(await service.until(id)).toMatchObject({
    state: 'failed',
    error: { code: 'INVALID_INPUT', detail: expect.stringContaining('has changed since the import began') },
  })
})

test('an import that stopped goes on only with the same file', async () => {
  const dataDir = await newDataDir()
  const settings = { ingestBatchDocuments: 8 }
  const first = await openJobService(dataDir, settings)
  const names = ['same', 'longer', 'touched', 'gone', 'shorter']
  const file = (name: string) => join(first.importDir, `${name}.ndjson`)
  const ids: Record<string, string> = {}
  for (const name of names) {
    await writeLines(
      file(name),
      numbers(400).map((n) => JSON.stringify({ id: `${name}${n}`, text: `sea ${n}` })),
    )
    const { id } = await first.create({ kind: 'import', file: `${name}.ndjson` })
    await first.until(id, ({ progress }) => progress !== undefined)
    await first.http().post(`/jobs/${id}/cancel`).expect(202)
    const { state, result } = await first.until(id)
    expect(state).toBe('cancelled')
    expect(result?.['lines']).toBeLessThan(400)
    ids[name] = id
  }
  await appendFile(file('longer'), lineOf(9))
  await utimes(file('touched'), new Date(), new Date())
  await truncate(file('shorter'), 10)
  await rm(file('gone'))
  for (const name of names) {
    await first.http().post(`/jobs/${ids[name]}/resume`).expect(202)
    const job = await first.until(ids[name]!)
    if (name === 'same') expect(job).toMatchObject({ state: 'done', resumed: 1, result: { lines: 400 } })
    else
      expect(job).toMatchObject({
        state: 'failed',
        error: { code: name === 'gone' ? 'NOT_FOUND' : 'INVALID_INPUT' },
      })
  }
  const found = await first.http().get('/documents?limit=1000').expect(200)
  const stored = found.body.documents.filter(({ id }: { id: string }) => id.startsWith('same'))
  expect(stored).toHaveLength(400)
})
