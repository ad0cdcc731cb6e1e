import { afterAll, beforeAll, expect, test } from 'vitest'
import { openService, type Service } from './service.ts'

let service: Service
let wide: Service
beforeAll(async () => {
  service = await openService({ queryBytesMax: 300, textBytesMax: 4000, queryBodyBytesMax: 3000 })
  wide = await openService()
})
afterAll(() => Promise.all([service.close(), wide.close()]))

const post = (path: string, body: object) => service.http().post(path).send(body)
const SEARCHES: [string, (query: string) => object][] = [
  ['query', (query) => ({ query })],
  ['query', (query) => ({ query, task: 'similarity' })],
]

test.each(SEARCHES)('%s has a limit of its own, in UTF-8 bytes', async (field, body) => {
  for (const longest of ['x'.repeat(300), 'é'.repeat(150), '界'.repeat(100), '😀'.repeat(75)]) {
    await post('/search', body(longest)).expect(200)
    const { body: problem } = await post('/search', body(`${longest}é`)).expect(413)
    expect(problem).toMatchObject({ code: 'TOO_LARGE', details: { field, limit: 300 } })
    expect(problem.detail).toBe(`${field} is longer than 300 bytes (QUERY_BYTES_MAX); shorten it.`)
  }
})

test('of several queries only the one over the limit is at fault', async () => {
  const { body } = await post('/search', { queries: ['short', 'x'.repeat(301)] }).expect(200)
  expect(body.batches).toMatchObject([[], { error: { code: 'TOO_LARGE' } }])
})

test('texts to embed and to store may be as long as TEXT_BYTES_MAX', async () => {
  const text = 'x'.repeat(4000)
  await post('/embed', { texts: [text], prompt: 'ebar' }).expect(200)
  await post('/documents', { documents: [{ text }] }).expect(200)
  const { body } = await post('/embed', { texts: [`${text}x`], prompt: 'ebar' }).expect(413)
  expect(body.detail).toContain('TEXT_BYTES_MAX')
})

test.each(['/search', '/documents/delete'])('%s takes small bodies only', async (path) => {
  const { body } = await post(path, { filter: { x: 'x'.repeat(3000) } }).expect(413)
  expect(body).toMatchObject({ code: 'TOO_LARGE', details: { limit: 3000 } })
  expect(body.detail).toContain('QUERY_BODY_BYTES_MAX')
  await post('/embed', { texts: ['x'.repeat(3500)], prompt: 'ebae' }).expect(200)
})

test('the limits are in /info', async () => {
  const { body } = await service.http().get('/info').expect(200)
  expect(body.limits).toMatchObject({ query_bytes: 300, query_body_bytes: 3000, text_bytes: 4000 })
})

const TEXT = 'a'.repeat(300)
test.each([
  ['/documents', 'documents', 1000, [{ text: 'a' }, { text: TEXT }]],
  ['/embed', 'texts', 1024, ['a', TEXT]],
  ['/v1/embeddings', 'input', 1024, [7, [7, 7, 7, 7, 7, 7, 7, 7, 7, 7]]],
  ['/documents/delete', 'ids', 1000, ['a', TEXT]],
  ['/search', 'queries', 64, ['a', TEXT]],
])('a list of %s has a limit, in short bodies and in long ones', async (path, field, limit, items) => {
  for (const item of items) {
    const list = Array.from({ length: limit + 1 }, () => item)
    const { body } = await wide
      .http()
      .post(path)
      .send({ [field]: list })
      .expect(413)
    expect(body).toMatchObject({ code: 'TOO_LARGE', details: { field, limit } })
    expect(body.detail).toBe(`${field} has more than ${limit} items.`)
  }
})
