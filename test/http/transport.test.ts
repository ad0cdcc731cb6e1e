import { createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { refuseConnection } from '../../src/http/problems/refuse-connection.ts'
import { raw } from './raw.ts'
import { openService, type Service } from './service.ts'

let service: Service
beforeAll(async () => {
  service = await openService()
})
afterAll(() => service.close())

const request = (line: string, headers = '', body = '') =>
  raw(service.url, `${line} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${headers}\r\n${body}`)
const LONG = 'x'.repeat(20_000)

test.each([
  ['a header over 16 KB', 'GET /livez', `x-long: ${LONG}\r\n`, 431, 'HEADERS_TOO_LARGE'],
  [
    'many headers',
    'GET /livez',
    Array.from({ length: 400 }, (_, i) => `x-${i}: ${'y'.repeat(50)}\r\n`).join(''),
    431,
    'HEADERS_TOO_LARGE',
  ],
  ['a long query', `GET /documents?filter=${LONG}`, '', 414, 'URL_TOO_LONG'],
  ['a long path', `GET /${LONG}`, '', 414, 'URL_TOO_LONG'],
  ['a long id', `GET /documents/${'x'.repeat(3000)}`, '', 414, 'URL_TOO_LONG'],
  ['the method QUERY', 'QUERY /documents', '', 405, 'METHOD_NOT_ALLOWED'],
  [
    'QUERY with a body',
    'QUERY /documents',
    'content-type: application/json\r\ncontent-length: 2\r\n',
    405,
    'METHOD_NOT_ALLOWED',
  ],
  ['a method that nobody knows', 'BREW /documents', '', 405, 'METHOD_NOT_ALLOWED'],
  ['a method that begins like one', 'GETX /livez', '', 405, 'METHOD_NOT_ALLOWED'],
  ['TRACE', 'TRACE /livez', '', 405, 'METHOD_NOT_ALLOWED'],
  ['OPTIONS', 'OPTIONS /search', '', 405, 'METHOD_NOT_ALLOWED'],
  ['PROPFIND', 'PROPFIND /documents', '', 405, 'METHOD_NOT_ALLOWED'],
  ['a broken header', 'GET /livez', 'no colon\r\n', 400, 'MALFORMED_REQUEST'],
  ['two lengths', 'POST /search', 'content-length: 1\r\ncontent-length: 2\r\n', 400, 'MALFORMED_REQUEST'],
  ['a negative length', 'POST /search', 'content-length: -1\r\n', 400, 'MALFORMED_REQUEST'],
  ['a path of bytes', 'GET /documents/%ff', '', 400, 'MALFORMED_REQUEST'],
  ['a stray percent', 'GET /documents/%ZZ', '', 400, 'MALFORMED_REQUEST'],
])('%s is answered with a problem', async (_name, line, headers, status, code) => {
  const answer = await request(line, headers, headers.includes('length: 2') ? '{}' : '')
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect(answer.toLowerCase()).toContain('content-type: application/problem+json')
  expect(answer).toContain(`"code":"${code}"`)
  if (status === 405) expect(answer).toMatch(/\r\nallow: /i)
})

test.each([
  ['expect: 100-continue\r\n', /^HTTP\/1\.1 (100|200)/],
  ['upgrade: websocket\r\n', /^HTTP\/1\.1 200/],
  ['if-none-match: *\r\nif-modified-since: nonsense\r\nrange: bytes=0-1\r\n', /^HTTP\/1\.1 200/],
  ['accept: text/html;q=nonsense\r\naccept-encoding: br, *;q=0\r\n', /^HTTP\/1\.1 200/],
])('GET with %j is answered', async (headers, expected) => {
  expect(await request('GET /livez', headers)).toMatch(expected)
})

test.each([
  '/documents/',
  '/documents/%00',
  '/documents/%2F',
  '/documents//',
  '//documents',
  '/search/',
  '/%',
  '*',
  'http://a/livez',
])('GET %s is no accident', async (path) => {
  expect(await request(`GET ${path}`)).toMatch(/^HTTP\/1\.1 (200|400|404|405|422) /)
})

test('headers that do not come in time are answered with 408', async () => {
  const listener = createServer((socket: Socket) =>
    refuseConnection({ code: 'ERR_HTTP_REQUEST_TIMEOUT' }, socket),
  )
  await new Promise<void>((resolve) => listener.listen(0, resolve))
  const { port } = listener.address() as { port: number }
  const answer = await raw(`http://localhost:${port}`, 'GET / HTT')
  listener.close()
  expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*"code":"TOO_SLOW"/)
})
