import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { contract } from '../../src/app.ts'
import { COLOURS, openService, type Service } from './service.ts'

let service: Service
beforeAll(async () => {
  service = await openService()
  await service.http().post('/documents').send({ documents: COLOURS }).expect(200)
})
afterAll(() => service.close())

test('info tells model, device, store and version', async () => {
  const { body } = await service.http().get('/info').expect(200)
  expect(body).toMatchObject({
    model: {
      id: 'tiny-mha-paper',
      dimensions: 32,
      precision: 'fp32',
      max_tokens: { ebar: expect.any(Number), ebae: expect.any(Number) },
      prompts: { ebar: expect.stringContaining('{text}'), ebae: expect.stringContaining('{text}') },
    },
    device: 'cpu',
    store: { engine: expect.any(String), documents: 3 },
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
  })
  expect(body.model.fingerprint).toMatch(/^[0-9a-f]{64}$/)
})

test('metrics count requests by route pattern, encoder and store work', async () => {
  await service.http().post('/search').send({ query: 'blue' }).expect(200)
  await service.http().get('/documents/sky').expect(200)
  await service.http().get('/whatever-path').expect(404)
  const { text, headers } = await service.http().get('/metrics').expect(200)
  expect(headers['content-type']).toMatch(/^text\/plain/)
  expect(text).toContain(
    'http_request_duration_seconds_count{method="GET",route="/documents/:id",status="200"} 1',
  )
  expect(text).toContain('route="unknown",status="404"')
  expect(text).toMatch(/llara_encode_duration_seconds_count\{lane="interactive",prompt="ebar"\} 1/)
  expect(text).toContain('llara_encoded_texts_total{prompt="ebae"} 3')
  expect(text).toContain('llara_searches_total{collection="default",leg="dense",path="exact"} 1')
  expect(text).toContain('llara_store_documents{collection="default"} 3')
  expect(text).toContain('nodejs_eventloop_lag_p99_seconds')
  expect(text).not.toContain('whatever')
})

test('openapi.yaml in the repository is what the routes say', async () => {
  const committed = readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8')
  expect(await contract()).toBe(committed)
})

test('the served contract describes every operation, and its errors', async () => {
  const { text, headers } = await service.http().get('/openapi.yaml').buffer(true).expect(200)
  expect(headers['content-type']).toMatch(/^application\/yaml/)
  const document = parse(text)
  expect(document.openapi).toMatch(/^3\.1/)
  const operations = Object.values(
    document.paths as Record<string, Record<string, Record<string, object>>>,
  ).flatMap((methods) => Object.values(methods))
  expect(operations.length).toBeGreaterThan(12)
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
  for (const { summary, operationId, responses } of operations) {
    expect(summary).toBeTruthy()
    expect(operationId === ('livez' as unknown) || '5XX' in responses!).toBe(true)
  }
})

test('the documentation page needs nothing from elsewhere', async () => {
  const page = await service.http().get('/docs/').expect(200)
  const policy = page.headers['content-security-policy']!
  expect(policy).toMatch(/^default-src 'self';/)
  // With it a browser asks for the page's files by https, on every plain-HTTP name but localhost.
  expect(policy).not.toContain('upgrade-insecure-requests')
  expect(policy).not.toMatch(/https?:|unsafe|\*/)
  const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!)
  expect(links.length).toBeGreaterThan(3)
  for (const link of links) {
    const { pathname, host } = new URL(link, `${service.url}/docs/`)
    expect(host).toBe(new URL(service.url).host)
    await service.http().get(pathname).expect(200)
  }
})
