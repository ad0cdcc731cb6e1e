import { afterAll, expect, test } from 'vitest'
import { readConfig } from '../../src/config/read.ts'
import { openService, type Service } from './service.ts'

const opened: Service[] = []
afterAll(() => Promise.all(opened.map((service) => service.close())))

const KEY = 'reader-key-0123456789'
const PAGE = 'https://app.example.org'

async function service(corsOrigins: string[]): Promise<Service> {
  const made = await openService({ corsOrigins, apiKeys: [{ scope: 'read', key: KEY }] })
  opened.push(made)
  return made
}

const preflight = ({ http }: Service, path: string, origin: string, method = 'POST') =>
  http()
    .options(path)
    .set('origin', origin)
    .set('access-control-request-method', method)
    .set('access-control-request-headers', 'authorization, content-type')

const corsHeaders = (headers: object) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'))

test('off by default: no header, and OPTIONS is a method like any other', async () => {
  const closed = await service([])
  const { headers } = await preflight(closed, '/search', PAGE).expect(401)
  expect(corsHeaders(headers)).toEqual([])
})

test('a page of the list may ask first, without a key, and then read what it needs', async () => {
  const listed = await service(['http://localhost:5173', PAGE])
  for (const [path, method] of [
    ['/search', 'POST'],
    ['/documents/a', 'DELETE'],
    ['/info', 'GET'],
  ]) {
    const { headers, text } = await preflight(listed, path!, PAGE, method).expect(204)
    expect(text).toBe('')
    expect(headers['access-control-allow-origin']).toBe(PAGE)
    expect(headers['access-control-allow-methods']).toContain(method)
    expect(headers['access-control-allow-headers']).toBe('authorization, content-type')
    expect(headers['access-control-max-age']).toBe('600')
    expect(headers['access-control-allow-credentials']).toBeUndefined()
    expect(headers['vary']).toMatch(/origin/i)
  }
  const info = listed.http().get('/info').set('origin', PAGE).set('authorization', `Bearer ${KEY}`)
  const { headers } = await info.expect(200)
  expect(headers['access-control-allow-origin']).toBe(PAGE)
  for (const name of ['retry-after', 'x-request-id', 'ratelimit-remaining']) {
    expect(headers['access-control-expose-headers']).toContain(name)
  }
})

test('refusals are readable, too', async () => {
  const listed = await service([PAGE])
  const post = (path: string) => listed.http().post(path).set('origin', PAGE)
  const answers = [
    await post('/search').send({ query: 'a' }).expect(401),
    await post('/search').set('authorization', `Bearer ${KEY}`).send({ query: 1 }).expect(422),
    await post('/documents').set('authorization', `Bearer ${KEY}`).send({}).expect(403),
    await post('/nowhere').set('authorization', `Bearer ${KEY}`).expect(404),
    await listed.http().get('/readyz').set('origin', PAGE).expect(200),
  ]
  for (const { headers } of answers) expect(headers['access-control-allow-origin']).toBe(PAGE)
})

test.each([
  'https://app.example.org.evil.example',
  'https://evil.example',
  'http://app.example.org',
  'https://app.example.org:8443',
  'https://APP.example.org',
  'https://sub.app.example.org',
  'https://app.example.org/',
  'null',
  '*',
])('the origin %s, which is not in the list, gets no header', async (origin) => {
  const listed = opened[1]!
  const asked = await preflight(listed, '/search', origin).expect(401)
  const { headers } = await listed.http().get('/livez').set('origin', origin).expect(200)
  for (const found of [asked.headers, headers]) {
    expect(found['access-control-allow-origin']).toBeUndefined()
    expect(found['access-control-allow-methods']).toBeUndefined()
  }
})

test('OPTIONS that asks for nothing is refused as a problem', async () => {
  const { http } = opened[1]!
  await http().options('/search').expect(401)
  const answer = await http().options('/search').set('authorization', `Bearer ${KEY}`).expect(405)
  expect(answer.body.code).toBe('METHOD_NOT_ALLOWED')
})

test('* lets every page in, where it is written', async () => {
  const everybody = await service(['*'])
  const { headers } = await preflight(everybody, '/search', 'https://anything.example').expect(204)
  expect(headers['access-control-allow-origin']).toBe('*')
  expect(headers['access-control-allow-credentials']).toBeUndefined()
})

test.each(['*', PAGE, `${PAGE}, http://localhost:5173`, 'http://[::1]:3000'])(
  '%s may be the list',
  (value) => {
    expect(readConfig({ CORS_ORIGINS: value }).corsOrigins).toEqual(value.split(', '))
  },
)

test.each([
  'app.example.org',
  'https://app.example.org/',
  'https://App.example.org',
  'https://app.example.org:443',
  'https://*.example.org',
  'https://app.example.org/path',
  'https://user@app.example.org',
  'ftp://app.example.org',
  'file:///page.html',
  'null',
  'true',
  `*, ${PAGE}`,
  `${PAGE},`,
  'https://',
])('%s may not', (value) => {
  expect(() => readConfig({ CORS_ORIGINS: value })).toThrow(/CORS_ORIGINS must list origins/)
})
