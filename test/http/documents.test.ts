import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { COLOURS, openService } from './service.ts'

const service = await openService({
  documentsPerRequestMax: 5,
  pageSizeMax: 10,
  textBytesMax: 1024,
  metadataBytesMax: 200,
})
afterAll(() => service.close())
const http = service.http
beforeEach(() => http().post('/documents').send({ documents: COLOURS }).expect(200))
afterEach(() => http().post('/documents/delete').send({ all: true }).expect(200))

test('added documents are told, read back and replaced by id', async () => {
  const added = await http()
    .post('/documents')
    .send({ documents: [{ text: 'no id' }, { id: 'sky', text: 'the sky is grey' }] })
    .expect(200)
  expect(added.body).toMatchObject({ created: 1, updated: 1, failed: 0, truncated: [], errors: [] })
  expect(added.body.ids[0]).toMatch(/^[0-9a-f-]{36}$/)
  expect(added.body.ids[1]).toBe('sky')
  expect(added.body.tokens).toBeGreaterThan(5)
  const sky = await http().get('/documents/sky').expect(200)
  expect(sky.body).toEqual({ id: 'sky', title: null, text: 'the sky is grey', metadata: {} })
})

test('the title is part of what is embedded', async () => {
  await http()
    .post('/documents')
    .send({
      documents: [
        { id: 'a', title: 'Sky', text: 'blue' },
        { id: 'b', text: 'Sky blue' },
        { id: 'c', text: 'blue' },
      ],
    })
  const passages = await service.index.passages(['a', 'b', 'c'])
  const [a, b, c] = passages.map((list) => list?.map(({ vector }) => vector))
  expect(a).toEqual(b)
  expect(a).not.toEqual(c)
})

test('a cut text is told', async () => {
  const documents = [
    { id: 'long', text: 'word '.repeat(200) },
    { id: 'short', text: 'word' },
  ]
  const { body } = await http().post('/documents').send({ documents }).expect(200)
  expect(body).toMatchObject({ truncated: ['long'], truncated_total: 1 })
  const refused = await http().post('/documents').send({ documents, truncate: 'error' }).expect(422)
  expect(refused.body).toMatchObject({ code: 'TEXT_TOO_LONG', details: { field: 'documents[0]' } })
})

test('JSON ingest is all or nothing', async () => {
  const documents = [
    { id: 'good', text: 'fine' },
    { id: 'bad', text: '   ' },
  ]
  const { body } = await http().post('/documents').send({ documents }).expect(422)
  expect(body).toMatchObject({ code: 'INVALID_INPUT', details: { field: 'documents[1].text' } })
  await http().get('/documents/good').expect(404)
})

test('listing goes page by page, with a filter', async () => {
  const first = await http().get('/documents').query({ limit: 2 }).expect(200)
  expect(first.body.documents.map(({ id }: { id: string }) => id)).toEqual(['grass', 'sea'])
  const second = await http()
    .get('/documents')
    .query({ limit: 2, cursor: first.body.next_cursor })
    .expect(200)
  expect(second.body).toEqual({ documents: [COLOURS[0]], next_cursor: null })
  const filtered = await http().get('/documents').query({ filter: '{"tags":"water"}' }).expect(200)
  expect(filtered.body.documents).toEqual([COLOURS[2]])
})

test.each([
  [{ limit: '0' }, 'limit'],
  [{ limit: '11' }, 'limit'],
  [{ limit: 'many' }, 'limit'],
  [{ filter: '{' }, 'filter is not valid JSON'],
  [{ filter: '{"a":{"$b":1}}' }, '$b'],
  [{ colour: 'blue' }, 'unknown fields: colour'],
])('listing with %j is refused', async (query, hint) => {
  const { body } = await http().get('/documents').query(query).expect(422)
  expect(body.detail).toContain(hint)
})

test.each([
  '5.9',
  'true',
  '0x10',
  '1e2',
  ' 5',
  '5 ',
  '+5',
  '05',
  '',
  '٣',
  'NaN',
  'Infinity',
  '-1',
  '9'.repeat(400),
])('limit=%j is no number of documents', async (limit) => {
  const { body } = await http().get('/documents').query({ limit }).expect(422)
  expect(body).toMatchObject({ code: 'INVALID_INPUT', details: { field: 'limit' } })
})

test.each(['limit=1&limit=2', 'limit=1&limit=1', 'cursor=a&cursor=b', 'filter=1&filter=2', 'x=1&x=2'])(
  '%s says a name more than once',
  async (query) => {
    const { body } = await http().get(`/documents?${query}`).expect(422)
    expect(body.detail).toContain('is given more than once')
  },
)

test.each(['limit[]=1', 'limit[a]=1', '__proto__=1', 'constructor=1', '=1', '%FF=1', '%ZZ', '&&&'])(
  'the query ?%s is answered without an accident',
  async (query) => {
    const { status } = await http().get(`/documents?${query}`)
    expect([200, 422]).toContain(status)
  },
)

test('ids of any spelling survive the path', async () => {
  for (const id of ['a/b', '..', '日本 語', 'x'.repeat(512), '%2e', 'delete', 'a?b#c']) {
    await http()
      .post('/documents')
      .send({ documents: [{ id, text: 'odd id' }] })
      .expect(200)
    const path = `/documents/${encodeURIComponent(id).replaceAll('.', '%2E')}`
    const { body } = await http().get(path).expect(200)
    expect(body.id).toBe(id)
    await http().delete(path).expect(200, { removed: 1 })
    await http().delete(path).expect(404)
  }
})

test('deleting by ids counts what was there; by filter what matched', async () => {
  await http()
    .post('/documents/delete')
    .send({ ids: ['sky', 'nobody', 'sky'] })
    .expect(200, { removed: 1 })
  await http()
    .post('/documents/delete')
    .send({ filter: { year: { $lt: 2020 } } })
    .expect(200, { removed: 1 })
  const { body } = await http().get('/documents').expect(200)
  expect(body.documents).toEqual([COLOURS[2]])
})

test('deleting all is said by all', async () => {
  await http().post('/documents/delete').send({ all: true, filter: null }).expect(200, { removed: 3 })
})

test.each([
  {},
  { ids: ['a'], filter: { b: 1 } },
  { ids: ['a'], all: true },
  { ids: [] },
  { ids: [1] },
  { all: false },
  { all: 'true' },
  { filter: {} },
  { filter: { $and: [{}] } },
  { filter: { year: { $nin: [] } } },
  { filter: { $not: { year: { $in: [] } } } },
])('deleting %j is refused, and nothing is gone', async (body) => {
  const answer = await http().post('/documents/delete').send(body).expect(422)
  expect(answer.body.code).toBe('INVALID_INPUT')
  expect((await http().get('/documents').expect(200)).body.documents).toHaveLength(COLOURS.length)
})

test.each([
  [{ documents: [] }, 422, 'documents'],
  [{ documents: Array(6).fill({ text: 'a' }) }, 413, 'more than 5 items'],
  [{ documents: [{ text: 'a', extra: 1 }] }, 422, 'documents[0] has unknown fields: extra'],
  [{ documents: [{ id: 7, text: 'a' }] }, 422, 'documents[0].id must be string'],
  [{ documents: [{ id: '', text: 'a' }] }, 422, 'documents[0].id'],
  [{ documents: [{ id: 'a\nb', text: 'a' }] }, 422, 'control characters'],
  [{ documents: [{ id: 'é'.repeat(300), text: 'a' }] }, 422, '512 bytes'],
  [{ documents: [{ id: 'x'.repeat(513), text: 'a' }] }, 413, '512'],
  [{ documents: [{ text: 'x'.repeat(1025) }] }, 413, 'TEXT_BYTES_MAX'],
  [{ documents: [{ text: 'a', metadata: { a: 'x'.repeat(200) } }] }, 413, 'METADATA_BYTES_MAX'],
  [{ documents: [{ text: 'a', metadata: [] }] }, 422, 'metadata'],
  [{ documents: [{ text: '\udc00' }] }, 422, 'Unicode'],
  [{ documents: [{ text: 'a', metadata: { '\ud800': 1 } }] }, 422, 'Unicode'],
])('%j is refused with %i', async (body, status, hint) => {
  const answer = await http().post('/documents').send(body).expect(status)
  expect(answer.body.detail).toContain(hint)
})

test('metadata nested too deep is refused, not a crash', async () => {
  const deep = `{"documents":[{"text":"a","metadata":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}]}`
  const { body } = await http().post('/documents').type('json').send(deep).expect(422)
  expect(body.detail).toContain('nested deeper')
})
