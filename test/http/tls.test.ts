import { readFileSync } from 'node:fs'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { raw } from './raw.ts'
import { COLOURS, openService, type Service } from './service.ts'

const pem = (name: string) =>
  readFileSync(new URL(`../fixtures/tls/first.${name}.pem`, import.meta.url), 'utf8')
const KEY = 'writer-key-0123456789'
let service: Service
beforeAll(async () => {
  service = await openService({
    tlsCert: pem('cert'),
    tlsKey: pem('key'),
    apiKeys: [{ scope: 'write', key: KEY }],
  })
})
afterAll(() => service.close())

function ask(
  path: string,
  options: RequestOptions = {},
  body?: object,
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(service.url)
  const headers = { authorization: `Bearer ${KEY}`, ...(body && { 'content-type': 'application/json' }) }
  return new Promise((resolve, reject) => {
    const all = { hostname, port, path, headers, ca: pem('cert'), agent: false, ...options } as const
    const outgoing = httpsRequest({ method: body ? 'POST' : 'GET', ...all }, async (answer) => {
      const text = (await answer.setEncoding('utf8').toArray()).join('')
      resolve({ status: answer.statusCode ?? 0, text })
    })
    outgoing.once('error', reject).end(body && JSON.stringify(body))
  })
}

test('says https, and serves over it', async () => {
  expect(service.url).toMatch(/^https:/)
  expect(service.log.join('')).not.toContain('http://')
  expect(await ask('/documents', {}, { documents: COLOURS })).toMatchObject({ status: 200 })
  const found = await ask('/search', {}, { query: 'blue', k: 1 })
  expect(JSON.parse(found.text).results).toHaveLength(1)
  expect(await ask('/search', {}, { query: 1 })).toMatchObject({ status: 422 })
  expect(await ask('/info', { headers: {} })).toMatchObject({ status: 401 })
})

test.each([
  'GET /livez HTTP/1.1\r\nhost: a\r\n\r\n',
  'hello\r\n\r\n',
  '\x16\x03\x01\x00\x05hello',
  '\x00\xff'.repeat(5000),
])('what is not TLS is cut off and harms nobody: %j', async (bytes) => {
  const answer = await raw(service.url.replace('https', 'http'), Buffer.from(bytes, 'latin1'))
  expect(answer).not.toContain('HTTP/1.1')
  expect((await ask('/livez')).status).toBe(200)
})

test('versions before TLS 1.2 are refused', async () => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  await expect(ask('/livez', old)).rejects.toThrow(/protocol version/)
  expect((await ask('/livez', { maxVersion: 'TLSv1.2' })).status).toBe(200)
  expect((await ask('/livez', { minVersion: 'TLSv1.3' })).status).toBe(200)
})

test('what is not HTTP inside of TLS gets a refusal, and connections that break harm nobody', async () => {
  const answer = await new Promise<string>((resolve, reject) => {
    const { hostname, port } = new URL(service.url)
    import('node:tls').then(({ connect: connectTls }) => {
      const socket = connectTls({ host: hostname, port: Number(port), ca: pem('cert') }, () =>
        socket.write('hello\r\n\r\n'),
      )
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk
      })
      socket.on('close', () => resolve(text)).on('error', reject)
    })
  })
  expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*MALFORMED_REQUEST/)
  const { hostname, port } = new URL(service.url)
  for (let i = 0; i < 20; i++) {
    const socket = connect(Number(port), hostname, () =>
      socket.write('\x16\x03\x01\x02', () => socket.resetAndDestroy()),
    )
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('close', resolve))
  }
  expect((await ask('/livez')).status).toBe(200)
})
