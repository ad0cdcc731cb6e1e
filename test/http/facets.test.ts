import { afterAll, beforeAll, expect, test } from 'vitest'
import { openService, type Service } from './service.ts'

let service: Service
beforeAll(async () => {
  service = await openService({ facetsMax: 3, facetValuesMax: 20 })
  const documents = Array.from({ length: 24 }, (_, i) => ({
    id: `d${i}`,
    text: `document number ${i}`,
    metadata: { n: i, tags: i % 2 === 0 ? ['even', 'number'] : ['odd', 'number'], 'a.b': { c: `c${i % 3}` } },
  }))
  await service.http().post('/documents').send({ documents }).expect(200)
})
afterAll(() => service.close())

const query = (body: object) => service.http().post('/documents/query').send(body)

test('a query for documents counts them by the values of fields', async () => {
  const facets = ['tags', 'a\\.b.c', 'n']
  const { body } = await query({ filter: { n: { $lt: 9 } }, limit: 1, facets, facet_values: 2 }).expect(200)
  expect(body.documents).toHaveLength(1)
  expect(body.facets).toEqual([
    {
      field: 'tags',
      values: [
        { value: 'number', count: 9 },
        { value: 'even', count: 5 },
      ],
      distinct: 3,
    },
    {
      field: 'a\\.b.c',
      values: [
        { value: 'c0', count: 3 },
        { value: 'c1', count: 3 },
      ],
      distinct: 3,
    },
    {
      field: 'n',
      values: [
        { value: 0, count: 1 },
        { value: 1, count: 1 },
      ],
      distinct: 9,
      min: 0,
      max: 8,
    },
  ])
  for (const { field, values } of body.facets) {
    for (const { value, count } of values) {
      const filter = { $and: [{ n: { $lt: 9 } }, { [field]: value }] }
      expect((await query({ filter, count: true }).expect(200)).body.total).toBe(count)
    }
  }
})

test('a search counts over all that match its filter, not only over its results', async () => {
  const { body } = await service
    .http()
    .post('/search')
    .send({ query: 'number', k: 1, filter: { tags: 'odd' }, facets: ['tags'] })
    .expect(200)
  expect(body.results).toHaveLength(1)
  expect(body.facets).toEqual([
    {
      field: 'tags',
      values: [
        { value: 'number', count: 12 },
        { value: 'odd', count: 12 },
      ],
      distinct: 2,
    },
  ])
  const without = await service.http().post('/search').send({ query: 'number', k: 1 }).expect(200)
  expect(without.body).not.toHaveProperty('facets')
})

test('values of every kind come back as they are, and ten of them unless said', async () => {
  const many = await query({ facets: ['n'], limit: 1 }).expect(200)
  expect(many.body.facets[0].values).toHaveLength(10)
  await service
    .http()
    .post('/documents')
    .send({
      documents: [{ id: 'kinds', text: 'kinds', metadata: { kind: [null, true, false, 'null', 1.5] } }],
    })
  const { body } = await query({ facets: ['kind', 'none'] }).expect(200)
  expect(body.facets[0].values.map(({ value }: { value: unknown }) => value)).toEqual([
    1.5,
    'null',
    false,
    true,
    null,
  ])
  expect(body.facets[1]).toEqual({ field: 'none', values: [], distinct: 0 })
  await service.http().delete('/documents/kinds').expect(200)
})

test.each([
  [{ facets: ['a', 'b', 'c', 'd'] }, 413, 'facets'],
  [{ facets: 'a' }, 422, 'facets'],
  [{ facets: ['a..b'] }, 422, 'facets[0]'],
  [{ facets: ['a'], facet_values: 21 }, 422, 'facet_values'],
  [{ facets: ['a'], facet_values: 0 }, 422, 'facet_values'],
])('%j is refused', async (body, status, field) => {
  expect((await query(body).expect(status)).body.details.field).toBe(field)
  const searched = await service
    .http()
    .post('/search')
    .send({ query: 'a', ...body })
    .expect(status)
  expect(searched.body.details.field).toBe(field)
})
