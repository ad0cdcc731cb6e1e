import { afterAll, beforeAll, expect, test } from 'vitest'
import { raw } from './raw.ts'
import { COLOURS, openService, type Service } from './service.ts'

let service: Service
beforeAll(async () => {
  service = await openService({ bodyBytesMax: 2000 })
  await service.http().post('/documents').send({ documents: COLOURS }).expect(200)
})
afterAll(() => service.close())

test('a problem has every member, its media type and the request id', async () => {
  const { body, headers } = await service.http().post('/search').send({ query: 1 }).expect(422)
  expect(headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(body).toEqual({
    type: 'urn:llara-serve:problem:invalid_input',
    title: 'Unprocessable Entity',
    status: 422,
    code: 'INVALID_INPUT',
    detail: 'query must be string.',
    request_id: headers['x-request-id'],
    details: { field: 'query' },
  })
})

test('a sane request id is kept, another replaced', async () => {
  const kept = await service.http().get('/livez').set('x-request-id', 'abc-1.2_3')
  expect(kept.headers['x-request-id']).toBe('abc-1.2_3')
  for (const odd of ['a b', 'x'.repeat(129), '{"a":1}']) {
    const { headers } = await service.http().get('/livez').set('x-request-id', odd)
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  }
})

const json = (body: string | Buffer, type = 'application/json') =>
  service.http().post('/search').set('content-type', type).send(body)

test.each([
  ['malformed JSON', () => json('{"query": "secret words'), 400, 'MALFORMED_REQUEST'],
  ['an empty body', () => json(''), 400, 'MALFORMED_REQUEST'],
  ['prototype poisoning', () => json('{"query":"a","__proto__":{"x":1}}'), 422, 'INVALID_INPUT'],
  ['a list for an object', () => json('[1]'), 422, 'INVALID_INPUT'],
  [
    'another media type',
    () => json('query=a', 'application/x-www-form-urlencoded'),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  ['plain text', () => json('a', 'text/plain'), 415, 'UNSUPPORTED_MEDIA_TYPE'],
  [
    'NDJSON where it has no meaning',
    () => json('{"query":"a"}', 'application/x-ndjson'),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  ['an encoded body', () => json('x').set('content-encoding', 'gzip'), 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['a body too large', () => json(JSON.stringify({ query: 'x'.repeat(2000) })), 413, 'TOO_LARGE'],
  ['an unknown route', () => service.http().get('/nowhere'), 404, 'NOT_FOUND'],
  ['an unknown document', () => service.http().get('/documents/nobody'), 404, 'NOT_FOUND'],
  ['a path that is no UTF-8', () => service.http().get('/documents/%ff'), 400, 'MALFORMED_REQUEST'],
  ['a path too long', () => service.http().get(`/documents/${'x'.repeat(3000)}`), 414, 'URL_TOO_LONG'],
])('%s', async (_name, call, status, code) => {
  const { body, headers } = await call().expect(status)
  expect(headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(body).toMatchObject({ status, code })
  expect(JSON.stringify(body)).not.toContain('secret')
})

test.each([
  ['get', '/search', 'POST'],
  ['put', '/documents', 'GET, HEAD, POST'],
  ['post', '/documents/abc', 'DELETE, GET, HEAD, PATCH'],
  ['delete', '/info', 'GET, HEAD'],
] as const)('%s %s is answered with the methods there are', async (method, path, allow) => {
  const { body, headers } = await service.http()[method](path).expect(405)
  expect(body.code).toBe('METHOD_NOT_ALLOWED')
  expect(headers['allow']).toBe(allow)
})

test('what is not HTTP gets a refusal and nothing else breaks', async () => {
  expect(await raw(service.url, 'hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*MALFORMED_REQUEST/)
  await service.http().get('/livez').expect(200)
})

test('texts, ids, filters and vectors never reach the log', async () => {
  await service
    .http()
    .post('/search')
    .send({ query: 'hush-query', filter: { a: 'hush-filter' } })
    .expect(200)
  await service.http().get('/documents/hush-id').expect(404)
  await service.http().get('/documents').query({ filter: '{"a":"hush-value"}' }).expect(200)
  await service.http().post('/search').type('json').send('{"query": hush-syntax}').expect(400)
  expect(service.log.length).toBeGreaterThan(3)
  expect(service.log.join('')).not.toContain('hush')
})
