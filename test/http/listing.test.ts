import { afterAll, beforeAll, expect, test } from 'vitest'
import { openService, type Service } from './service.ts'

const COUNT = 25
const READER = 'reader-key-0123456789'
const WRITER = 'writer-key-0123456789'

let service: Service
beforeAll(async () => {
  const apiKeys = [
    { scope: 'read' as const, key: READER },
    { scope: 'write' as const, key: WRITER },
  ]
  service = await openService({ pageSizeMax: 10, apiKeys })
  const documents = Array.from({ length: COUNT }, (_, i) => ({
    id: `d${String(i).padStart(2, '0')}`,
    title: `title ${i}`,
    text: `document number ${i}`,
    metadata: { n: i, even: i % 2 === 0 },
  }))
  await service.http().post('/documents').auth(WRITER, { type: 'bearer' }).send({ documents }).expect(200)
})
afterAll(() => service.close())

const query = (body: object, key = READER) =>
  service.http().post('/documents/query').auth(key, { type: 'bearer' }).send(body)

test('lists page by page what a filter of any size matches, and counts it', async () => {
  // Too large for an address.
  const values = Array.from({ length: 3000 }, (_, i) => 1000 + i)
  const filter = {
    $or: [{ n: { $in: [...values, 3, 4, 5] } }, { $and: [{ even: true }, { n: { $gte: 6 } }] }],
  }
  const wanted = [3, 4, 5, ...Array.from({ length: COUNT }, (_, i) => i).filter((i) => i >= 6 && i % 2 === 0)]
  const seen: number[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const { body } = await query({ filter, limit: 4, count: true, ...(cursor && { cursor }) }).expect(200)
    expect(body.total).toBe(wanted.length)
    expect(body.documents.length).toBeLessThanOrEqual(4)
    for (const { metadata } of body.documents) seen.push(metadata.n)
    cursor = body.next_cursor
  }
  expect(seen).toEqual(wanted)
})

test('returns the fields that are asked for', async () => {
  const { body } = await query({ filter: { n: 7 }, include: ['title'] }).expect(200)
  expect(body).toEqual({ documents: [{ id: 'd07', title: 'title 7' }], next_cursor: null })
  const ids = await query({ filter: { n: 7 }, include: [] }).expect(200)
  expect(ids.body.documents).toEqual([{ id: 'd07' }])
  const whole = await query({ filter: { n: 7 } }).expect(200)
  const listed = await service
    .http()
    .get('/documents?filter={"n":7}')
    .auth(READER, { type: 'bearer' })
    .expect(200)
  expect(whole.body).toEqual(listed.body)
})

test('an address names the fields that are asked for, too', async () => {
  const get = (path: string) => service.http().get(path).auth(READER, { type: 'bearer' })
  const whole = { id: 'd07', title: 'title 7', text: 'document number 7', metadata: { n: 7, even: false } }
  expect((await get('/documents/d07').expect(200)).body).toEqual(whole)
  for (const fields of [['title', 'metadata'], ['text'], []] as const) {
    const include = fields.join(',')
    const part = Object.fromEntries(['id', ...fields].map((name) => [name, whole[name as 'id']]))
    expect((await get(`/documents/d07?include=${include}`).expect(200)).body).toEqual(part)
    const list = await get(`/documents?filter={"n":7}&include=${include}`).expect(200)
    expect(list.body.documents).toEqual([part])
  }
  for (const include of ['vectors', 'title,', 'title, text', 'title;text']) {
    for (const path of ['/documents', '/documents/d07']) {
      const refused = await get(`${path}?include=${encodeURIComponent(include)}`).expect(422)
      expect(refused.body.details.field).toBe('include')
    }
  }
})

test('without a filter lists and counts everything', async () => {
  const { body } = await query({ count: true, limit: 10 }).expect(200)
  expect(body.total).toBe(COUNT)
  expect(body.documents).toHaveLength(10)
  expect((await query({ filter: { n: -1 }, count: true }).expect(200)).body).toEqual({
    documents: [],
    next_cursor: null,
    total: 0,
  })
})

test.each([
  [{ limit: 0 }, 'limit'],
  [{ limit: 11 }, 'limit'],
  [{ limit: 1.5 }, 'limit'],
  [{ cursor: 'nonsense!' }, 'cursor'],
  [{ filter: [] }, 'filter'],
  [{ filter: { n: { $near: 1 } } }, 'filter'],
  [{ include: ['vectors'] }, 'include'],
  [{ count: 'yes' }, 'count'],
  [{ where: {} }, ''],
])('%j is refused, with the field at fault', async (body, field) => {
  const answer = await query(body).expect(422)
  expect(answer.body.code).toBe('INVALID_INPUT')
  expect(answer.body.details.field).toContain(field)
})

test('needs a key', async () => {
  await service.http().post('/documents/query').send({}).expect(401)
})
