import { afterAll, beforeAll, expect, test } from 'vitest'
import { raw } from './raw.ts'
import { openService, type Service } from './service.ts'

let service: Service
beforeAll(async () => {
  service = await openService({ requestsMax: 1, requestTimeoutMs: 300 }, { queueTextsMax: 16 })
})
afterAll(() => service.close())

const HEAD =
  'POST /search HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n'

test('a body that never ends is answered at the deadline and frees its place', async () => {
  const answer = await raw(service.url, `${HEAD}{"query":`)
  expect(answer).toMatch(/^HTTP\/1\.1 503 /)
  expect(answer).toContain('"code":"ABORTED"')
  expect(answer).toContain('REQUEST_TIMEOUT_MS')
  await service.http().get('/info').expect(200)
})

test('more requests than allowed are turned away, probes and metrics are not', async () => {
  const held = raw(service.url, HEAD)
  await new Promise((resolve) => setTimeout(resolve, 100))
  const { body, headers } = await service.http().get('/info').expect(429)
  expect(body).toMatchObject({ code: 'OVERLOADED', details: { limit: 1 } })
  expect(headers['retry-after']).toBe('1')
  await service.http().get('/readyz').expect(200)
  await service.http().get('/metrics').expect(200)
  await held
  await service.http().get('/info').expect(200)
})

test('work past the deadline is given up', async () => {
  const texts = Array.from({ length: 900 }, (_, i) => `word ${i} `.repeat(60))
  const answer = await service.http().post('/embed').send({ texts, prompt: 'both' })
  expect([503, 413, 429]).toContain(answer.status)
  await service.http().get('/info').expect(200)
})
