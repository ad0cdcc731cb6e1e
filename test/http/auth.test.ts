import { afterAll, beforeAll, expect, test } from 'vitest'
import { raw } from './raw.ts'
import { openService, type Service } from './service.ts'

const READ = 'reader-key-0123456789'
const WRITE = 'writer-key-0123456789'
let service: Service
beforeAll(async () => {
  service = await openService({
    apiKeys: [
      { scope: 'read', key: READ },
      { scope: 'write', key: WRITE },
    ],
  })
})
afterAll(() => service.close())

type Method = 'get' | 'post' | 'delete'
const PUBLIC: [Method, string][] = [
  ['get', '/livez'],
  ['get', '/readyz'],
]
const READERS: [Method, string][] = [
  ['get', '/info'],
  ['get', '/metrics'],
  ['get', '/openapi.yaml'],
  ['get', '/docs/'],
  ['get', '/docs/json'],
  ['get', '/docs/static/swagger-ui.css'],
  ['get', '/documents'],
  ['get', '/documents/a'],
  ['post', '/search'],
  ['post', '/embed'],
  ['post', '/v1/embeddings'],
]
const WRITERS: [Method, string][] = [
  ['post', '/documents'],
  ['post', '/documents/delete'],
  ['delete', '/documents/a'],
]

async function status([method, path]: [Method, string], authorization?: string): Promise<number> {
  const call = service.http()[method](path)
  return (await (authorization ? call.set('authorization', authorization) : call)).status
}

test('the lists cover every route of the contract', () => {
  const { paths = {} } = service.server.swagger() as { paths?: Record<string, object> }
  const known = [...PUBLIC, ...READERS, ...WRITERS].map(([method, path]) => `${method} ${path}`)
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path.replace('{id}', 'a')}`),
  )
  expect(routes.filter((route) => !known.includes(route))).toEqual([])
})

test.each(PUBLIC)('%s %s is public', async (...route) => {
  expect(await status(route)).toBe(200)
})

test.each([...READERS, ...WRITERS])('%s %s needs a key', async (...route) => {
  expect(await status(route)).toBe(401)
  for (const wrong of [
    'Bearer nope',
    `Bearer ${READ}x`,
    `Bearer ${READ.slice(1)}`,
    READ,
    'Bearer',
    `Token ${READ}`,
  ]) {
    expect(await status(route, wrong)).toBe(401)
  }
})

test.each(READERS)('%s %s takes either key', async (...route) => {
  for (const key of [READ, WRITE]) expect([401, 403]).not.toContain(await status(route, `Bearer ${key}`))
})

test.each(WRITERS)('%s %s takes the write key only', async (...route) => {
  expect(await status(route, `Bearer ${READ}`)).toBe(403)
  expect([401, 403]).not.toContain(await status(route, `bearer ${WRITE}`))
})

test('a refusal is a problem and names the scheme', async () => {
  const { body, headers } = await service.http().get('/info').expect(401)
  expect(headers['www-authenticate']).toBe('Bearer')
  expect(headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(body.code).toBe('UNAUTHORIZED')
})

test('a browser may ask for the key, on the documentation only', async () => {
  const basic = `Basic ${Buffer.from(`anyone:${READ}`).toString('base64')}`
  const asked = await service.http().get('/docs/').expect(401)
  expect(asked.headers['www-authenticate']).toContain('Basic')
  expect(await status(['get', '/docs/'], basic)).toBe(200)
  expect(await status(['get', '/openapi.yaml'], basic)).toBe(200)
  expect(await status(['get', '/documents'], basic)).toBe(401)
  expect(await status(['post', '/search'], basic)).toBe(401)
})

test.each([
  '/livez/../documents',
  '/livez/..%2fdocuments',
  '/livez%2f..%2fdocuments',
  '//documents',
  '/livez/',
  '/LIVEZ',
  '/livez;/documents',
  '/documents?x=/livez',
  '/documents#/livez',
  '/%64ocuments',
  '/livezz',
  '/unknown',
])('no spelling gets past the check: %s', async (path) => {
  const answer = await raw(service.url, `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
  expect(answer).toMatch(/^HTTP\/1\.1 40[01] /)
  expect(answer).not.toContain('"documents"')
})

test('a key is checked before the body is read', async () => {
  const head =
    'POST /documents HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n'
  expect(await raw(service.url, head)).toMatch(/^HTTP\/1\.1 401 /)
})

test('no key is ever logged', async () => {
  await status(['get', '/info'], `Bearer ${WRITE}`)
  await status(['get', '/info'], 'Bearer wrong-secret-value')
  const log = service.log.join('')
  for (const secret of [READ, WRITE, 'wrong-secret-value']) expect(log).not.toContain(secret)
})
