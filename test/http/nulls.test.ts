import { afterAll, beforeAll, expect, test } from 'vitest'
import { tinyReranker } from '../fixtures/tiny-reranker.ts'
import { openService, type Service } from './service.ts'

let service: Service
beforeAll(async () => {
  service = await openService({}, undefined, tinyReranker())
  await service.http().put('/collections/other').send({}).expect(201)
})
afterAll(() => service.close())

interface Shape {
  anyOf?: Shape[]
  const?: string
  enum?: string[]
  type?: string | string[]
  properties?: Record<string, Shape>
  required?: string[]
  items?: Shape
}

/** A body and all optional fields that it does not have, as nulls. */
function withNulls(value: unknown, schema: Shape): unknown {
  if (Array.isArray(value)) return value.map((item) => withNulls(item, schema.items ?? {}))
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const given = (value as Record<string, unknown>)[name]
    if (given === undefined) expect([field.type].flat(), `${name} says that it takes null`).toContain('null')
    return [name, given === undefined ? null : withNulls(given, field)]
  })
  return { ...value, ...Object.fromEntries(fields) }
}

const BODIES: [string, Record<string, unknown>][] = [
  ['/documents', { documents: [{ text: 'one' }, { id: 'two', text: 'two' }] }],
  ['/search', { query: 'a' }],
  ['/search', { queries: ['a', 'b'] }],
  ['/search', { like: 'two' }],
  ['/search', { query: 'a', rerank: {} }],
  ['/embed', { texts: ['a'], prompt: 'ebae' }],
  ['/v1/embeddings', { input: 'a', model: 'MODEL:query' }],
  ['/documents/delete', { ids: ['nobody'] }],
  ['/documents/patch', { ids: ['two'], metadata: {} }],
  ['/documents/query', {}],
  ['/rerank', { query: 'a', documents: ['a', { text: 'b' }] }],
  ['/rerank', { query: 'a', ids: ['two'] }],
  ['/v1/rerank', { query: 'a', documents: ['a', { text: 'b' }] }],
  ['/v2/rerank', { query: 'a', documents: ['a'] }],
  ['/jobs', { kind: 'reindex', from: 'default', to: 'other' }],
]

test('every route with a body is among those tried', () => {
  const paths = Object.entries(service.server.swagger().paths ?? {})
  const withBody = paths.filter(
    ([, path]) => 'requestBody' in ((path as Record<string, object>)['post'] ?? {}),
  )
  // Those of a collection by its name are the same routes.
  const tried = withBody
    .map(([path]) => path)
    .filter((path) => !path.startsWith('/collections/{collection}/'))
  expect(tried.sort()).toEqual([...new Set(BODIES.map(([path]) => path))].sort())
})

test.each(BODIES)('%s takes %j with every other field null', async (path, given) => {
  const body = JSON.parse(JSON.stringify(given).replace('MODEL', service.encoder.card.id))
  const { paths } = service.server.swagger() as unknown as {
    paths: Record<string, { post: { requestBody: { content: Record<string, { schema: Shape }> } } }>
  }
  const { schema } = paths[path]!.post.requestBody.content['application/json']!
  const own =
    schema.anyOf?.find(({ properties }) =>
      [properties?.['kind']?.const, ...(properties?.['kind']?.enum ?? [])].includes(body.kind),
    ) ?? schema
  const nulls = withNulls(body, own)
  expect(JSON.stringify(nulls)).toContain('null')
  const { status } = await service
    .http()
    .post(path)
    .send(nulls as object)
  expect(status).toBe(path === '/jobs' ? 202 : 200)
})

test('a line takes nulls too, and nothing of them is stored', async () => {
  const line = '{"id":"line","text":"a","title":null,"metadata":null}\n{"id":null,"text":"b"}\n'
  const { body } = await service.http().post('/documents').type('application/x-ndjson').send(line).expect(200)
  expect(body).toMatchObject({ created: 2, failed: 0 })
  expect(body.ids[1]).toMatch(/^[0-9a-f-]{36}$/)
  const { body: document } = await service.http().get('/documents/line').expect(200)
  expect(document).toEqual({ id: 'line', text: 'a', title: null, metadata: {} })
})

test('a filter that is null in a query string is none', async () => {
  const { body } = await service.http().get('/documents').query({ filter: 'null' }).expect(200)
  expect(body.documents.length).toBeGreaterThan(1)
})

test.each([
  ['/search', { query: null }, 'exactly one of'],
  ['/search', { query: 'a', include: [null] }, 'include[0]'],
  ['/documents', { documents: [{ text: null }] }, 'documents[0].text must be string'],
  ['/documents', { documents: null }, 'documents must be array'],
  ['/documents', { documents: [null] }, 'documents[0] must be object'],
  ['/embed', { texts: ['a'], prompt: null }, 'prompt must be string'],
  ['/embed', { texts: ['a'], prompt: 'ebar', colour: null }, 'unknown fields: colour'],
  ['/documents/delete', { ids: null, filter: null }, 'exactly one of'],
])('%s refuses %j: null is no value of these', async (path, body, words) => {
  const answer = await service.http().post(path).send(body).expect(422)
  expect(answer.body.detail.toLowerCase()).toContain(words.toLowerCase())
})

test('null in metadata and in a filter is a value', async () => {
  const documents = [{ id: 'none', text: 'a', metadata: { colour: null } }]
  await service.http().post('/documents').send({ documents }).expect(200)
  const { body } = await service
    .http()
    .post('/search')
    .send({ query: 'a', filter: { colour: null } })
    .expect(200)
  expect(body.results).toMatchObject([{ id: 'none', metadata: { colour: null } }])
})
