import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { raw } from './raw.ts'
import { openService, type Service } from './service.ts'

let service: Service
beforeAll(async () => {
  service = await openService()
})
afterAll(() => service.close())

const JSON_ROUTES = ['/documents', '/documents/delete', '/search', '/embed', '/v1/embeddings']
const post = (path: string, body: string, type = 'application/json') =>
  service.http().post(path).set('content-type', type).send(body)
const stored = async () => (await service.index.scan({ limit: 100 })).documents

describe.each(JSON_ROUTES)('%s', (path) => {
  test('bytes that are not UTF-8 are refused', async () => {
    for (const bytes of [[0xe9], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x8c]]) {
      const body = Buffer.concat([Buffer.from('{"text":"r'), Buffer.from(bytes), Buffer.from('sum"}')])
      // supertest would write a Buffer as JSON.
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(service.url + path, { method: 'POST', headers, body })
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({
        code: 'MALFORMED_REQUEST',
        detail: 'The body is not UTF-8.',
      })
    }
  })

  test.each(['iso-8859-1', '"latin1"', 'UTF-16', '"us-ascii"; charset=utf-8', "''"])(
    'charset=%s is refused',
    async (charset) => {
      const { body } = await post(path, '{}', `application/json; Charset=${charset}`).expect(415)
      expect(body.code).toBe('UNSUPPORTED_MEDIA_TYPE')
    },
  )

  test.each(['utf-8', 'UTF-8', '"utf-8"', '"UTF-8"', 'utf8'])('charset=%s is read', async (charset) => {
    for (const type of ['application/json', 'Application/JSON']) {
      await post(path, '{"nonsense":1}', `${type};charset=${charset}`).expect(422)
    }
  })

  test('a byte order mark is skipped', async () => {
    const { body } = await post(path, '\ufeff{"nonsense":1}').expect(422)
    expect(body.detail).toContain('unknown fields: nonsense')
  })

  test('a request without a body is told so, with and without a type', async () => {
    const head = `POST ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n`
    const types = [
      '',
      'content-type: application/json\r\n',
      'content-type: application/json\r\ncontent-length: 0\r\n',
    ]
    for (const type of types) {
      const answer = await raw(service.url, `${head}${type}\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*The request has no body/)
    }
    const answer = await raw(service.url, `${head}content-length: 2\r\n\r\n{}`)
    expect(answer).toMatch(/^HTTP\/1\.1 415 /)
  })

  test('a body of another length than told is refused', async () => {
    const head = `POST ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n`
    expect(await raw(service.url, `${head}content-length: 1\r\n\r\n{}`)).toMatch(/^HTTP\/1\.1 400 /)
    expect(await raw(service.url, `${head}transfer-encoding: chunked\r\n\r\nzz\r\n`)).toMatch(
      /^HTTP\/1\.1 400 /,
    )
  })
})

/** What both formats refuse, with the same words after the name of the document. */
test.each([
  ['{"text":"a","__proto__":{"x":1}}', 'unknown fields: __proto__'],
  ['{"text":"a","constructor":{"prototype":{}}}', 'unknown fields: constructor'],
  ['{"text":"a","metadata":{"__proto__":1}}', 'has a field named __proto__; rename it'],
  ['{"text":"a","metadata":{"a":[{"__proto__":1}]}}', 'has a field named __proto__; rename it'],
  ['{"text":"a","text":"b"}', 'has the field text twice in one object; send it once'],
  ['{"text":"a","metadata":{"a":1,"\\u0061":1}}', 'has the field a twice in one object'],
  ['{"text":"a","metadata":{"n":9007199254740993}}', 'metadata.n is a number beyond 2^53'],
  ['{"text":"a","metadata":{"n":1e400}}', 'holds a number that is too large'],
  ['{"id":"\\ud800","text":"a"}', 'id is not well-formed Unicode'],
  ['{"text":"\\ud800"}', 'text is not well-formed Unicode'],
  ['{"title":"\\udfff","text":"a"}', 'title is not well-formed Unicode'],
  ['{"text":"a","metadata":{"a":"\\ud800"}}', 'metadata.a is not well-formed Unicode'],
  ['{"text":"a","metadata":{"\\ud800":1}}', 'metadata is not well-formed Unicode'],
  [
    `{"text":"a","metadata":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}`,
    'metadata is nested deeper than 32 levels',
  ],
  [`{"text":"a","metadata":${'{"a":'.repeat(80)}1${'}'.repeat(80)}}`, 'is nested deeper than 64 levels'],
  ['[]', 'object'],
])('JSON and NDJSON refuse %s alike', async (document, words) => {
  const json = await post('/documents', `{"documents":[${document}]}`).expect(422)
  const lines = `{"id":"before","text":"x"}\n${document}\n{"id":"after","text":"y"}\n`
  const ndjson = await post('/documents', lines, 'application/x-ndjson').expect(200)
  expect(json.body.detail).toContain(words)
  expect(ndjson.body).toMatchObject({ failed: 1, lines: 3, ids: ['before', 'after'], errors: [{ line: 2 }] })
  expect(ndjson.body.errors[0].detail).toContain(words)
  expect((await stored()).map(({ id }) => id)).toEqual(['after', 'before'])
})

test.each([
  '{"constructor":{"prototype":{"x":[1]}},"prototype":1,"toString":"a","hasOwnProperty":null}',
  '{"n":9007199254740992,"m":-9007199254740994,"f":0.1,"e":1e300,"big":100000000000000000000}',
  '{"":"empty","a.b":{"$gt":1},"é":"\\u0000"}',
])('JSON and NDJSON keep metadata %s', async (metadata) => {
  const document = (id: string) => `{"id":"${id}","text":"a","metadata":${metadata}}`
  await post('/documents', `{"documents":[${document('json')}]}`).expect(200)
  await post('/documents', document('ndjson'), 'application/x-ndjson').expect(200)
  for (const id of ['json', 'ndjson']) {
    const { body } = await service.http().get(`/documents/${id}`).expect(200)
    expect(body.metadata).toEqual(JSON.parse(metadata))
  }
})

test.each([
  ['{"a":9007199254740993}', 'filter.a is'],
  ['{"a":1,"a":2}', 'twice'],
  ['{"a":"\\ud800"}', 'Unicode'],
  ['{"\\ud800":1}', 'Unicode'],
])('a filter %s is refused wherever it stands', async (filter, words) => {
  const answers = [
    await post('/search', `{"query":"a","filter":${filter}}`).expect(422),
    await post('/documents/delete', `{"filter":${filter}}`).expect(422),
    await service.http().get('/documents').query({ filter }).expect(422),
  ]
  for (const { body } of answers) expect(body.detail).toContain(words)
})

test('NDJSON in another charset is refused, whole', async () => {
  await post('/documents', '{"text":"a"}', 'application/x-ndjson; charset="ISO-8859-1"').expect(415)
  await post('/documents', '{"text":"a"}', 'Application/X-NDJSON; charset="UTF-8"').expect(200)
})

test('a route without a body takes any type without one, and no body', async () => {
  await post('/documents', '{"documents":[{"id":"gone","text":"a"}]}').expect(200)
  for (const type of ['application/json', 'text/plain', 'application/x-ndjson', 'nonsense']) {
    await service.http().get('/documents/gone').set('content-type', type).expect(200)
    await service.http().head('/info').set('content-type', type).expect(200)
    await service.http().delete('/documents/nobody').set('content-type', type).expect(404)
  }
  for (const head of ['GET /documents', 'DELETE /documents/gone']) {
    for (const type of ['', 'content-type: application/json\r\n', 'content-type: text/plain\r\n']) {
      const request = `${head} HTTP/1.1\r\nhost: a\r\n${type}connection: close\r\n`
      const answer = await raw(service.url, `${request}content-length: 2\r\n\r\n{}`)
      expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*takes no body/)
    }
  }
  await service.http().delete('/documents/gone').set('content-type', 'application/json').expect(200)
})
