import { expect, test } from 'vitest'
import { newDataDir, numbers, openJobService } from './job-service.ts'

test('a collection is filled from another one, goes on after a stop, and takes the place of the old one', async () => {
  const dataDir = await newDataDir()
  const first = await openJobService(dataDir, { ingestBatchDocuments: 16 })
  const documents = numbers(700).map((n) => ({
    id: `d${n}`,
    title: n % 2 === 0 ? `Day ${n}` : null,
    text: `the sky of day ${n} is blue`,
    metadata: { n },
  }))
  await first.http().post('/documents').send({ documents }).expect(200)
  await first.http().put('/collections/docs-2').send({}).expect(201)
  const { id } = await first.create({ kind: 'reindex', from: 'default', to: 'docs-2' })
  await first.until(id, ({ progress }) => progress !== undefined)
  await first.close()

  const second = await openJobService(dataDir)
  expect(await second.until(id)).toMatchObject({
    state: 'done',
    resumed: 1,
    result: { documents: 700, failed: 0 },
    errors_total: 0,
  })
  const all = async (path: string) =>
    (await second.http().post(`${path}/documents/query`).send({ limit: 1000 }).expect(200)).body.documents
  expect(await all('/collections/docs-2')).toEqual(await all(''))
  const search = { query: 'blue sky of day 17', k: 5, exact: true }
  const [old, fresh] = await Promise.all(
    ['', '/collections/docs-2'].map((path) => second.http().post(`${path}/search`).send(search).expect(200)),
  )
  expect(fresh!.body.results.map((hit: { id: string }) => hit.id)).toEqual(
    old!.body.results.map((hit: { id: string }) => hit.id),
  )
})

test('what cannot be filled is refused', async () => {
  const { http } = await openJobService(await newDataDir())
  await http()
    .put('/collections/own')
    .send({ vectors: { dimensions: 3 } })
    .expect(201)
  const cases: [object, number, string][] = [
    [{ from: 'default', to: 'default' }, 422, 'to'],
    [{ from: 'default', to: 'own' }, 422, 'to'],
    [{ from: 'default', to: 'nobody' }, 404, 'collection'],
    [{ from: 'nobody', to: 'default' }, 404, 'collection'],
  ]
  for (const [body, status, field] of cases) {
    const answer = await http()
      .post('/jobs')
      .send({ kind: 'reindex', ...body })
      .expect(status)
    expect(answer.body.details).toMatchObject({ field })
  }
})
