import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { COLOURS, openService } from './service.ts'

const service = await openService({ documentsPerRequestMax: 5, metadataBytesMax: 200 })
afterAll(() => service.close())
const http = service.http
beforeEach(() => http().post('/documents').send({ documents: COLOURS }).expect(200))
afterEach(() => http().post('/documents/delete').send({ all: true }).expect(200))

const read = async (id: string) => (await http().get(`/documents/${id}`).expect(200)).body

test.each([
  'application/merge-patch+json',
  'application/merge-patch+json; charset=utf-8',
  'application/json',
])('a document is patched as %s', async (type) => {
  const [passages] = await service.index.passages(['sky'])
  const patch = { metadata: { year: 2022, tags: null, by: { name: 'Ito' } } }
  const { body } = await http().patch('/documents/sky').type(type).send(JSON.stringify(patch)).expect(200)
  expect(body).toEqual({ id: 'sky', metadata: { year: 2022, by: { name: 'Ito' } } })
  expect(await read('sky')).toEqual({ ...COLOURS[0], ...body })
  expect((await service.index.passages(['sky']))[0]).toEqual(passages)
  const found = await http()
    .post('/search')
    .send({ query: 'sky', filter: { 'by.name': 'Ito' } })
    .expect(200)
  expect(found.body.results.map(({ id }: { id: string }) => id)).toEqual(['sky'])
})

test('null takes all metadata away', async () => {
  const { body } = await http().patch('/documents/sky').send({ metadata: null }).expect(200)
  expect(body).toEqual({ id: 'sky', metadata: {} })
})

test('documents are patched by ids, by a filter, and all', async () => {
  const patch = (body: object) => http().post('/documents/patch').send(body)
  await patch({ ids: ['sky', 'sea', 'sky'], metadata: { colour: 'blue' } }).expect(200, { patched: 2 })
  await patch({ filter: { colour: 'blue' }, metadata: { colour: null, tint: 1 } }).expect(200, { patched: 2 })
  await patch({ all: true, metadata: { seen: true } }).expect(200, { patched: 3 })
  expect(await read('sky')).toEqual({
    ...COLOURS[0],
    metadata: { ...COLOURS[0]?.metadata, tint: 1, seen: true },
  })
  expect((await read('grass')).metadata).toEqual({ year: 2019, seen: true })
  const missing = await patch({ ids: ['sky', 'nobody'], metadata: { seen: false } }).expect(404)
  expect(missing.body).toMatchObject({ code: 'NOT_FOUND', details: { ids: ['nobody'] } })
  expect((await read('sky')).metadata.seen).toBe(true)
})

test.each([
  [{ metadata: { a: 'x'.repeat(190) } }, 413, 'METADATA_BYTES_MAX'],
  [{ text: 'other' }, 422, 'unknown fields: text'],
  [{ metadata: { a: 1 }, title: 'other' }, 422, 'unknown fields: title'],
  [{ metadata: [] }, 422, 'metadata'],
  [{ metadata: 5 }, 422, 'metadata'],
  [{}, 422, 'lacks metadata'],
  [{ metadata: { '\ud800': 1 } }, 422, 'Unicode'],
])('the patch %j is refused', async (body, status, hint) => {
  const answer = await http().patch('/documents/sky').send(body).expect(status)
  expect(answer.body.detail).toContain(hint)
  expect(await read('sky')).toEqual(COLOURS[0])
})

test.each([
  [{ metadata: {} }, 'exactly one'],
  [{ ids: ['sky'], all: true, metadata: {} }, 'exactly one'],
  [{ filter: {}, metadata: {} }, 'all'],
  [{ ids: ['sky'] }, 'lacks metadata'],
  [{ ids: [], metadata: {} }, 'ids'],
])('the patch of many %j is refused', async (body, hint) => {
  const answer = await http().post('/documents/patch').send(body).expect(422)
  expect(answer.body.detail).toContain(hint)
})

test('a document that is not there has no metadata, and other bodies are no patches', async () => {
  expect((await http().patch('/documents/nobody').send({ metadata: {} }).expect(404)).body.code).toBe(
    'NOT_FOUND',
  )
  await http().patch('/documents/sky').type('application/json-patch+json').send('[]').expect(415)
  await http().patch('/documents/sky').type('text/plain').send('{}').expect(415)
  await http().patch('/documents/sky').expect(400)
  await http().post('/search').type('application/merge-patch+json').send('{"query":"a"}').expect(415)
  const broken = '{"metadata":{"a":1,"a":2}}'
  await http().patch('/documents/sky').type('application/merge-patch+json').send(broken).expect(422)
})
