import { request as httpRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { raw } from './raw.ts'
import { openService, type Service } from './service.ts'

const open: Service[] = []
afterAll(() => Promise.all(open.map((service) => service.close())))

async function service(settings: Parameters<typeof openService>[0]): Promise<Service> {
  const opened = await openService(settings)
  open.push(opened)
  return opened
}

const HEAD =
  'POST /search HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n'
/** Cut to the model's limit each; seconds of work for the tiny model. */
const MANY = Array.from({ length: 1000 }, (_, i) => `word ${i} `.repeat(400))
const FULL_ROW_TOKENS = 64

/** Waits until nothing waits, then tells whether work was left undone. */
async function gaveUp({ encoder }: Service, texts: number): Promise<boolean> {
  const waiting = async () => Object.values((await encoder.stats()).waitingTexts)
  while ((await waiting()).some((count) => count > 0)) await sleep(5)
  return (await encoder.stats()).tokens < texts * FULL_ROW_TOKENS
}

test('a body that never ends is answered at the deadline and frees its place', async () => {
  const { url, http } = await service({ requestsMax: 1, requestTimeoutMs: 300 })
  const answer = await raw(url, `${HEAD}{"query":`)
  expect(answer).toMatch(/^HTTP\/1\.1 503 /)
  expect(answer).toContain('"code":"ABORTED"')
  expect(answer).toContain('REQUEST_TIMEOUT_MS')
  await http().get('/info').expect(200)
})

test('more requests than allowed are turned away, probes and metrics are not', async () => {
  const { encoder, http } = await service({
    requestsMax: 1,
    requestTimeoutMs: 3000,
    bodyBytesMax: 64 * 1024 * 1024,
  })
  const held = http()
    .post('/embed')
    .send({ texts: MANY, prompt: 'both' })
    .then(({ status }) => status)
  while ((await encoder.stats()).waitingTexts.bulk === 0) await sleep(1)
  const { body, headers } = await http().get('/info').expect(429)
  expect(body).toMatchObject({ code: 'OVERLOADED', details: { limit: 1 } })
  expect(headers['retry-after']).toBe('1')
  await http().get('/readyz').expect(200)
  await http().get('/metrics').expect(200)
  expect(await held).toBe(503)
  await http().get('/info').expect(200)
})

test('work past the deadline is answered with 503 and given up', async () => {
  const slow = await service({ requestTimeoutMs: 200, bodyBytesMax: 64 * 1024 * 1024 })
  const { body, headers } = await slow.http().post('/embed').send({ texts: MANY, prompt: 'both' }).expect(503)
  expect(body.code).toBe('ABORTED')
  expect(headers['retry-after']).toBe('1')
  expect(await gaveUp(slow, MANY.length)).toBe(true)
  await slow.http().get('/info').expect(200)
})

test('work of a client that goes away is given up', async () => {
  const left = await service({ bodyBytesMax: 64 * 1024 * 1024 })
  const { hostname, port } = new URL(left.url)
  const headers = { 'content-type': 'application/json' }
  const client = httpRequest({ hostname, port, path: '/embed', method: 'POST', headers })
  client.on('error', () => {})
  client.end(JSON.stringify({ texts: MANY, prompt: 'ebae' }))
  while ((await left.encoder.stats()).waitingTexts.bulk === 0) await sleep(1)
  client.destroy()
  expect(await gaveUp(left, MANY.length)).toBe(true)
})

test('a full encoder queue is 429 with a time to wait, and passes', async () => {
  const { http } = await service({ bodyBytesMax: 64 * 1024 * 1024, queueTextsMax: 16 })
  const texts = MANY.slice(0, 16)
  const calls = Array.from({ length: 12 }, () => http().post('/embed').send({ texts, prompt: 'ebar' }))
  const answers = await Promise.all(calls.map((call) => call.then((answer) => answer)))
  const refused = answers.filter(({ status }) => status === 429)
  expect(refused.length).toBeGreaterThan(0)
  expect(answers.filter(({ status }) => status === 200).length).toBe(answers.length - refused.length)
  for (const { body, headers } of refused) {
    expect(body.code).toBe('OVERLOADED')
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1)
  }
  await http().post('/embed').send({ texts, prompt: 'ebar' }).expect(200)
})
