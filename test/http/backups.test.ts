import { createWriteStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { get, request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { restoreBackup } from '../../src/index/embedded/backup/restore.ts'
import { scratchFolder } from '../index/scratch.ts'
import { openService } from './service.ts'
import { openStored } from './stored-service.ts'

type Stored = Awaited<ReturnType<typeof openStored>>

const text = (n: number) => `text number ${n}: the sky is blue and the sea is deep`

function ingest({ http }: Stored, ids: readonly number[]) {
  return http()
    .post('/documents')
    .send({ documents: ids.map((n) => ({ id: `d${n}`, text: text(n), metadata: { n } })) })
    .expect(200)
}

async function download({ url }: Stored, name: string): Promise<string> {
  const file = join(await scratchFolder(), 'backup.tar')
  await new Promise<void>((resolve, reject) => {
    get(`${url}/backups/${name}`, (answer) => {
      expect(answer.headers['content-type']).toBe('application/x-tar')
      pipeline(answer, createWriteStream(file)).then(resolve, reject)
    }).once('error', reject)
  })
  return file
}

const searched = async ({ http }: Stored) => {
  const queries = ['blue sky', text(3), text(70)]
  const { body } = await http().post('/search').send({ queries, k: 20, exact: true }).expect(200)
  return body.batches
}

test('a backup made while documents come and go restores to what was acknowledged before it', async () => {
  const dataDir = await scratchFolder()
  const service = await openStored(dataDir)
  const { http } = service
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
  for (let n = 0; n < 200; n += 50) await ingest(service, range(n, n + 50))
  await http()
    .post('/documents/delete')
    .send({ filter: { n: { $lt: 10 } } })
    .expect(200)

  let stop = false
  let acknowledged = 0
  const writing = (async () => {
    for (let n = 1000; !stop; n += 2) {
      await ingest(service, [n, n + 1])
      await http().delete(`/documents/d${n}`).expect(200)
      acknowledged++
    }
  })()
  while (acknowledged < 3) await sleep(5)
  const before = acknowledged
  const { body, headers } = await http().post('/backups?name=nightly').expect(201)
  stop = true
  await writing

  expect(headers['location']).toBe('/backups/nightly')
  expect(body).toMatchObject({ name: 'nightly', removed: [], collections: [{ name: 'default' }] })
  const listed = await http().get('/backups').expect(200)
  expect(listed.body.backups).toMatchObject([{ name: 'nightly', created_at: body.created_at }])

  const target = await scratchFolder()
  await restoreBackup({ source: await download(service, 'nightly'), dataDir: target, replace: false })
  const restored = await openStored(target)
  const found = await restored.http().get('/documents?limit=1000').expect(200)
  const ids = new Set(found.body.documents.map(({ id }: { id: string }) => id))
  for (const n of range(10, 200)) expect(ids).toContain(`d${n}`)
  for (const n of range(0, 10)) expect(ids).not.toContain(`d${n}`)
  for (let i = 0; i < before; i++) {
    expect(ids).toContain(`d${1001 + 2 * i}`)
    expect(ids).not.toContain(`d${1000 + 2 * i}`)
  }
  expect(ids.size).toBe(body.collections[0].documents)

  // What came later goes, and both answer alike.
  for (const { http } of [service, restored]) {
    await http()
      .post('/documents/delete')
      .send({ filter: { n: { $gte: 1000 } } })
      .expect(200)
  }
  expect(await searched(restored)).toEqual(await searched(service))
})

test('names are checked, a second one of a name is refused, and one can be deleted', async () => {
  const dataDir = await scratchFolder()
  const service = await openStored(dataDir)
  const { http } = service
  await ingest(service, [1])
  for (const name of ['..%2f..%2fetc', '%2e%2e', 'A', '', 'a'.repeat(70)]) {
    const { body } = await http().post(`/backups?name=${name}`).expect(422)
    expect(body.code).toBe('INVALID_INPUT')
    expect([404, 422]).toContain((await http().get(`/backups/${name || '%2e'}`)).status)
    expect([404, 405, 422]).toContain((await http().delete(`/backups/${name || '%2e'}`)).status)
  }
  await http().post('/backups?nam=x').expect(422)
  await http().post('/backups?name=a').expect(201)
  await http().post('/backups?name=a').expect(422)
  await http().get('/backups/b').expect(404)
  expect((await http().delete('/backups/a').expect(200)).body).toEqual({ removed: 1 })
  await http().delete('/backups/a').expect(404)
  expect((await http().get('/backups').expect(200)).body).toEqual({ backups: [] })
})

test('a caller that goes away, or waits too long, leaves nothing behind', async () => {
  const dataDir = await scratchFolder()
  const service = await openStored(dataDir, { backupTimeoutMs: 100 })
  await ingest(service, [1, 2, 3])
  const outgoing = httpRequest(`${service.url}/backups?name=left`, { method: 'POST' })
  outgoing.once('error', () => {})
  outgoing.end()
  await sleep(30)
  outgoing.destroy()
  const left = async () => (await readdir(join(dataDir, 'backups')).catch(() => [])) as string[]
  for (let answer = 429; answer === 429; await sleep(20)) {
    const { status, body } = await service.http().post('/backups?name=late')
    answer = status
    if (status === 503)
      expect(body).toMatchObject({ code: 'ABORTED', detail: expect.stringContaining('BACKUP_TIMEOUT_MS') })
    else expect([201, 429]).toContain(status)
  }
  expect((await left()).filter((name) => name.startsWith('.') || name === 'left')).toEqual([])
})

test('only keys of scope write make, list, read or delete backups', async () => {
  const dataDir = await scratchFolder()
  const apiKeys = [
    { scope: 'read' as const, key: 'r'.repeat(20) },
    { scope: 'write' as const, key: 'w'.repeat(20) },
  ]
  const { http } = await openStored(dataDir, { apiKeys })
  const as = (key: string) => ({ authorization: `Bearer ${key.repeat(20)}` })
  await http().post('/backups?name=a').set(as('w')).expect(201)
  for (const path of ['/backups', '/backups/a']) {
    await http().get(path).set(as('r')).expect(403)
    await http().get(path).expect(401)
  }
  await http().post('/backups').set(as('r')).expect(403)
  await http().delete('/backups/a').set(as('r')).expect(403)
  const archive = await http().get('/backups/a').set(as('w')).responseType('blob').expect(200)
  expect(archive.body.subarray(0, 11).toString()).toBe('backup.json')
})

test('an index without backups says so', async () => {
  const service = await openService()
  const { body } = await service.http().get('/backups').expect(404)
  expect(body.detail).toContain('no backups')
  await service.close()
})
