import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caller, everyRoute, type Route } from './every-route.ts'
import { raw } from './raw.ts'
import { openService, type Service } from './service.ts'

const [READ, WRITE, OLD] = ['reader-key-0123456789', 'writer-key-0123456789', 'ancient-key-0123456789']
let service: Service
let caller: Caller
let routes: Route[] = []
beforeAll(async () => {
  service = await openService({
    authFailuresMax: 100_000,
    apiKeys: [
      { scope: 'read', key: READ },
      { scope: 'write', key: WRITE },
      { scope: 'write', key: OLD, expiresAt: Date.now() },
    ],
  })
  caller = new Caller(service.url)
  routes = everyRoute(service.server)
})
afterAll(async () => {
  caller.close()
  await service.close()
})

const withKey = (key: string) => ({ authorization: `Bearer ${key}` })
const basic = (key: string) => ({ authorization: `Basic ${Buffer.from(`anyone:${key}`).toString('base64')}` })

const closed = () => routes.filter(({ access }) => access !== 'public')

describe('every route', () => {
  test('is found, in the contract or outside of it', () => {
    const found = routes.map(({ method, path }) => `${method} ${path}`)
    const { paths = {} } = service.server.swagger() as { paths?: Record<string, object> }
    const contract = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, 'a')}`),
    )
    expect(contract.length).toBeGreaterThan(12)
    const others = ['HEAD /documents', 'GET /docs/json', 'GET /docs/static/swagger-ui.css']
    expect([...contract, ...others].filter((route) => !found.includes(route))).toEqual([])
  })

  test('that is public answers without a key, and these are the only ones', async () => {
    const open = routes.filter(({ access }) => access === 'public')
    expect(open.map(({ path }) => path)).toEqual(['/livez', '/livez', '/readyz', '/readyz'])
    expect(await caller.breaking(open, {}, (status) => status === 200)).toEqual([])
  })

  test.each<[string, Record<string, string>]>([
    ['no key', {}],
    ['a wrong key', withKey('nope')],
    ['a key with more behind it', withKey(`${READ}x`)],
    ['a key with less before it', withKey(READ.slice(1))],
    ['a key in capitals', withKey(WRITE.toUpperCase())],
    ['two keys', withKey(`${READ},${WRITE}`)],
    ['an expired key', withKey(OLD)],
    ['a key without a scheme', { authorization: WRITE }],
    ['a scheme without a key', { authorization: 'Bearer' }],
    ['another scheme', { authorization: `Token ${WRITE}` }],
    [
      'a key elsewhere',
      { 'x-api-key': WRITE, cookie: `key=${WRITE}`, 'proxy-authorization': `Bearer ${WRITE}` },
    ],
    ['another host', { host: '127.0.0.1', 'x-forwarded-for': '127.0.0.1', 'x-original-url': '/livez' }],
    ['an expired key as a password', basic(OLD)],
    ['a wrong password', basic('nope')],
  ])('refuses %s', async (_name, headers) => {
    expect(await caller.breaking(closed(), headers, (status) => status === 401)).toEqual([])
  })

  test('takes either key where reading is enough, and the write key everywhere', async () => {
    const readable = closed().filter(({ access }) => access === 'read')
    const passes = (status: number) => status !== 401 && status !== 403 && status !== 429
    expect(await caller.breaking(readable, withKey(READ), passes)).toEqual([])
    expect(await caller.breaking(closed(), withKey(WRITE), passes)).toEqual([])
    expect(await caller.breaking(closed(), { authorization: `bEARER  ${WRITE}` }, passes)).toEqual([])
  })

  test('that changes something refuses the read key', async () => {
    const writing = closed().filter(({ access }) => access === 'write')
    expect(writing.length).toBeGreaterThan(2)
    expect(await caller.breaking(writing, withKey(READ), (status) => status === 403)).toEqual([])
    const disguised = { ...withKey(READ), 'x-http-method-override': 'GET', 'x-original-url': '/search' }
    expect(await caller.breaking(writing, disguised, (status) => status === 403)).toEqual([])
  })
})

/** Ways to write a path that some router or proxy somewhere takes for the path itself. */
const SPELLINGS: [string, (path: string) => string][] = [
  ['doubled slash', (path) => `/${path}`],
  ['slash at the end', (path) => `${path}/`],
  ['capitals', (path) => path.toUpperCase()],
  ['an escaped letter', (path) => path.replace(/[a-z]/, (c) => `%${c.charCodeAt(0).toString(16)}`)],
  ['escaped slashes', (path) => path.replaceAll('/', '%2f')],
  ['twice escaped slashes', (path) => path.replaceAll('/', '%252f')],
  ['parameters of a segment', (path) => `${path};a=b`],
  ['a public path and back', (path) => `/livez/..${path}`],
  ['a public path and back, escaped', (path) => `/livez/%2e%2e${path}`],
  ['a public path behind', (path) => `${path}/../livez`],
  ['a dot', (path) => `/.${path}`],
  ['backslashes', (path) => path.replaceAll('/', '\\')],
  ['a public path as the query', (path) => `${path}?/livez`],
  ['a public path as the fragment', (path) => `${path}#/livez`],
  ['a zero', (path) => `${path}%00`],
  ['no UTF-8', (path) => `${path}%ff`],
  ['a whole address', (path) => `http://localhost${path}`],
  ['an address with a user', (path) => `http://livez@localhost${path}`],
]

describe.each(SPELLINGS)('written with %s', (_name, spell) => {
  const spelt = (of: Route[]) => of.map((route) => ({ ...route, path: spell(route.path) }))

  test('no route is open', async () => {
    const refused = (status: number) => status === 400 || status === 401
    const answers = await caller.breaking(spelt(closed()), {}, refused)
    expect(answers.filter((answer) => !/livez: 404$/.test(answer))).toEqual([])
  })

  test('no route does more for the read key', async () => {
    const writing = spelt(closed().filter(({ access }) => access === 'write'))
    const refused = (status: number) => [400, 403, 404, 405].includes(status)
    expect(await caller.breaking(writing, withKey(READ), refused)).toEqual([])
  })
})

test('no other method opens a route', async () => {
  const others = ['PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'].flatMap((method) =>
    closed().map((route) => ({ ...route, method })),
  )
  expect(await caller.breaking(others, {}, (status) => status === 401)).toEqual([])
  expect(await caller.breaking(others, withKey(READ), (status) => [403, 404, 405].includes(status))).toEqual(
    [],
  )
})

test('a refusal is a problem and names the scheme', async () => {
  const { body, headers } = await service.http().get('/info').expect(401)
  expect(headers['www-authenticate']).toBe('Bearer')
  expect(headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(body.code).toBe('UNAUTHORIZED')
})

test('a browser may ask for the key, on the documentation only', async () => {
  const asked = await service.http().get('/docs/').expect(401)
  expect(asked.headers['www-authenticate']).toContain('Basic')
  const [open, shut] = [new Set<string>(), new Set<string>()]
  for (const { method, path } of closed()) {
    const status = await caller.ask(method, path, basic(WRITE))
    if (status === 401) shut.add(path)
    else open.add(path)
  }
  expect([...open].filter((path) => !/^\/(docs\b|openapi\.yaml$)/.test(path))).toEqual([])
  expect([...shut].filter((path) => /^\/docs/.test(path))).toEqual([])
})

test('a key is checked before the body is read', async () => {
  const head =
    'POST /documents HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n'
  expect(await raw(service.url, head)).toMatch(/^HTTP\/1\.1 401 /)
})

test('no key is ever logged', async () => {
  await caller.ask('GET', '/info', withKey(WRITE))
  await caller.ask('GET', '/info', withKey('wrong-secret-value'))
  const log = service.log.join('')
  for (const secret of [READ, WRITE, OLD, 'wrong-secret-value']) expect(log).not.toContain(secret)
})
