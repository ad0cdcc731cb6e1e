import { afterEach, expect, test } from 'vitest'
import { raw } from './raw.ts'
import { COLOURS, openService, type Service } from './service.ts'

const opened: Service[] = []
afterEach(() => Promise.all(opened.splice(0).map((service) => service.close())))

const [READ, WRITE, OLD] = ['reader-key-0123456789', 'writer-key-0123456789', 'ancient-key-0123456789']

async function service(settings: Parameters<typeof openService>[0] = {}): Promise<Service> {
  const made = await openService({
    logLevel: 'info',
    apiKeys: [
      { scope: 'read', key: READ, name: 'reader', expiresAt: Date.now() + 3_600_000 },
      { scope: 'write', key: WRITE, name: 'ops' },
      { scope: 'write', key: OLD, name: 'last-year', expiresAt: Date.now() - 1 },
    ],
    ...settings,
  })
  opened.push(made)
  return made
}

interface AuditLine {
  status: number
  refusal?: string
}

function audits({ log }: Service): AuditLine[] {
  return log.map((line) => JSON.parse(line)).filter(({ audit }) => audit === true)
}

const bearer = (key: string) => ['authorization', `Bearer ${key}`] as const

test('refusals and deletions are logged with the name of the key, and with nothing the caller sent', async () => {
  const audited = await service()
  const { http } = audited
  const post = (path: string, body: object) =>
    http()
      .post(path)
      .set(...bearer(WRITE))
      .send(body)
  await post('/documents', { documents: COLOURS }).expect(200)
  await http()
    .post('/search')
    .set(...bearer(READ))
    .send({ query: 'blue' })
    .expect(200)
  await http().get('/info').expect(401)
  await http()
    .get('/documents/hush')
    .set(...bearer('hush-hush'))
    .expect(401)
  await http()
    .get('/info')
    .set(...bearer(OLD))
    .expect(401)
  await http()
    .delete('/documents/hush')
    .set(...bearer(READ))
    .expect(403)
  await http()
    .delete('/documents/hush')
    .set(...bearer(WRITE))
    .set('x-request-id', 'mine-1')
    .expect(404)
  await post('/documents/delete', { ids: ['hush'] }).expect(200)
  await post('/documents/delete', { filter: { year: { $lt: 1 }, hush: 'hush' } }).expect(200)
  await expect.poll(() => audits(audited).length).toBe(7)
  const base = { level: 30, audit: true, address: '127.0.0.1', request_id: expect.any(String) }
  const deletion = { method: 'POST', route: '/documents/delete', key_name: 'ops', status: 200 }
  expect(audits(audited)).toMatchObject([
    { ...base, method: 'GET', route: '/info', status: 401, refusal: 'missing' },
    { ...base, method: 'GET', route: '/documents/:id', status: 401, refusal: 'unknown' },
    { ...base, method: 'GET', route: '/info', status: 401, refusal: 'expired', key_name: 'last-year' },
    { ...base, method: 'DELETE', route: '/documents/:id', status: 403, refusal: 'scope', key_name: 'reader' },
    {
      ...base,
      method: 'DELETE',
      route: '/documents/:id',
      status: 404,
      key_name: 'ops',
      request_id: 'mine-1',
    },
    { ...base, ...deletion },
    { ...base, ...deletion },
  ])
  for (const secret of [READ, WRITE, OLD, 'hush']) expect(audited.log.join('')).not.toContain(secret)
})

test('an expired key gets the answer of an unknown one', async () => {
  const { http } = await service()
  const [expired, unknown] = await Promise.all(
    [OLD, 'never-a-key'].map((key) =>
      http()
        .get('/info')
        .set(...bearer(key))
        .expect(401),
    ),
  )
  const { request_id: _, ...body } = expired!.body
  expect(unknown!.body).toMatchObject(body)
  expect(Object.keys(unknown!.headers).sort()).toEqual(Object.keys(expired!.headers).sort())
})

test('guessing is braked: 429 with a time to wait, for every key that has not worked from there', async () => {
  const braked = await service({ authFailuresMax: 3, authBlockMsMax: 60_000 })
  const get = (key: string) =>
    braked
      .http()
      .get('/info')
      .set(...bearer(key))
  await get(READ).expect(200)
  for (let i = 0; i < 3; i++) await get(`guess-${i}`).expect(401)
  const { body, headers } = await get('guess-3').expect(429)
  expect(body).toMatchObject({ code: 'OVERLOADED', detail: expect.stringContaining('wrong keys') })
  expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1)
  expect(headers['www-authenticate']).toBeUndefined()
  // The right key is not found out by guessing now; who used one before goes on.
  const wait = Number(headers['retry-after']) * 1000
  expect([200, 429]).toContain((await get(WRITE)).status)
  await get(READ).expect(200)
  await braked.http().get('/info').expect(401)
  await new Promise((resolve) => setTimeout(resolve, wait))
  await get(WRITE).expect(200)
  expect(audits(braked).filter(({ status }) => status === 429)).toHaveLength(1)
})

test('a flood without keys does not fill the log', async () => {
  const flooded = await service({ authFailuresMax: 5 })
  const requests = 'GET /info HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(300)
  const answers = await raw(
    flooded.url,
    `${requests}GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`,
  )
  expect(answers.match(/HTTP\/1\.1 401 /g)).toHaveLength(300)
  expect(audits(flooded)).toHaveLength(5)
})
