import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inspectCollection } from '../../src/index/embedded/integrity/inspect.ts'
import { scratchFolder } from '../index/scratch.ts'
import { openStored } from './stored-service.ts'

test('fields that are declared hold dates, which compare as instants', async () => {
  const dataDir = await scratchFolder()
  const service = await openStored(dataDir)
  const { http } = service
  await http()
    .put('/collections/news')
    .send({ dates: ['published', 'a..b'] })
    .expect(422)
  await http()
    .put('/collections/news')
    .send({ dates: ['published'] })
    .expect(201)
  const at = '/collections/news'
  const published = ['2024-03-31T02:30:00+02:00', '2024-03-31', '2024-03-31T00:30:00.000Z', '2023-12-24']
  const documents = published.map((date, i) => ({
    id: `n${i}`,
    text: `news ${i}`,
    metadata: { published: date },
  }))
  await http().post(`${at}/documents`).send({ documents }).expect(200)

  const faulty = { id: 'bad', text: 'bad', metadata: { published: ['2024-01-01', 'yesterday'] } }
  const refused = await http()
    .post(`${at}/documents`)
    .send({ documents: [faulty] })
    .expect(422)
  expect(refused.body.details.field).toBe('documents[0].metadata.published')
  const line = await http()
    .post(`${at}/documents`)
    .type('application/x-ndjson')
    .send(JSON.stringify(faulty))
    .expect(422)
  expect(JSON.stringify(line.body)).toContain('is no date')
  const patched = await http()
    .patch(`${at}/documents/n1`)
    .send({ metadata: { published: 'now' } })
    .expect(422)
  expect(patched.body.details.field).toBe('metadata.published')
  // Only this collection has said so.
  await http()
    .post('/documents')
    .send({ documents: [faulty] })
    .expect(200)

  const query = (body: object) => http().post(`${at}/documents/query`).send(body)
  const same = await query({ filter: { published: '2024-03-31T00:30:00Z' }, include: ['metadata'] }).expect(
    200,
  )
  expect(same.body.documents).toEqual(
    [0, 2].map((i) => ({ id: `n${i}`, metadata: { published: published[i] } })),
  )
  const sorted = await query({ sort: ['-published'], include: [], facets: ['published'] }).expect(200)
  expect(sorted.body.documents.map(({ id }: { id: string }) => id)).toEqual(['n0', 'n2', 'n1', 'n3'])
  expect(sorted.body.facets).toEqual([
    {
      field: 'published',
      values: [
        { value: '2024-03-31T00:30:00Z', count: 2 },
        { value: '2023-12-24T00:00:00Z', count: 1 },
        { value: '2024-03-31T00:00:00Z', count: 1 },
      ],
      distinct: 3,
      min: '2023-12-24T00:00:00Z',
      max: '2024-03-31T00:30:00Z',
    },
  ])
  const searched = await http()
    .post(`${at}/search`)
    .send({ query: 'news', filter: { published: { $lt: '2024-01-01T00:00:00+01:00' } } })
    .expect(200)
  expect(searched.body.results.map(({ id }: { id: string }) => id)).toEqual(['n3'])
  const grouped = await http()
    .post(`${at}/search`)
    .send({ query: 'news', group_by: 'published', group_size: 2, k: 4, include: [] })
    .expect(200)
  const groups = grouped.body.results.map(({ group }: { group: string }) => group)
  expect(groups.sort()).toEqual([
    '2023-12-24T00:00:00Z',
    '2024-03-31T00:00:00Z',
    '2024-03-31T00:30:00Z',
    '2024-03-31T00:30:00Z',
  ])
  const bad = await query({ filter: { published: { $gte: 'yesterday' } } }).expect(422)
  expect(bad.body.details.field).toBe('filter.published.$gte')
  const address = await http().get(`${at}/documents?filter={"published":"x"}`).expect(422)
  expect(address.body.detail).toContain('RFC 3339')
  const deleted = { filter: { published: '2023-12-24T00:00:00Z' } }
  await http().post(`${at}/documents/delete`).send(deleted).expect(200, { removed: 1 })

  await service.close()
  // What filters read fits the documents, as a check of the files has it.
  const found = await inspectCollection(join(dataDir, 'collections', 'news'))
  expect(found.rows).toMatchObject({ misplaced: 0, strayValues: 0, lost: [] })
})
