import { expect, test } from 'vitest'
import { newDataDir, openJobService } from './job-service.ts'

const LONG = Array.from({ length: 12 }, (_, i) => `The keeper wrote down day ${i}.`).join(' ')
const CHUNKING = { kind: 'passages', tokens: 32, overlap: 0, title: true }
const documents = Array.from({ length: 60 }, (_, i) => ({ id: `d${i}`, text: i % 2 ? LONG : `Day ${i}.` }))

test('a collection is cut in another way, goes on after a stop, and says when it is done', async () => {
  const dataDir = await newDataDir()
  const first = await openJobService(dataDir, { ingestBatchDocuments: 4 })
  await first.http().post('/documents').send({ documents }).expect(200)
  const chunking = { kind: 'passages', tokens: 32 }
  const { id } = await first.create({ kind: 'rechunk', chunking })
  await first.until(id, ({ progress }) => progress !== undefined)
  const during = (await first.http().get('/info').expect(200)).body
  expect(during).toMatchObject({ chunking: CHUNKING, earlier_chunking: { kind: 'whole' } })
  await first.close()

  const second = await openJobService(dataDir)
  expect(await second.until(id)).toMatchObject({
    state: 'done',
    resumed: 1,
    result: { documents: 60, failed: 0 },
  })
  const info = (await second.http().get('/info').expect(200)).body
  expect(info.chunking).toEqual(CHUNKING)
  expect(info).not.toHaveProperty('earlier_chunking')
  const fresh = await openJobService(await newDataDir(), { chunking: 'passages', chunkTokens: 32 })
  await fresh.http().post('/documents').send({ documents }).expect(200)
  const passages = async ({ http }: typeof fresh) =>
    (await http().get('/collections/default').expect(200)).body.passages
  expect(await passages(second)).toBe(await passages(fresh))
  const search = { query: 'The keeper wrote down day 3.', k: 3, exact: true }
  const [cut, made] = await Promise.all(
    [second, fresh].map(({ http }) => http().post('/search').send(search).expect(200)),
  )
  expect(cut!.body.results).toEqual(made!.body.results)
})

test('a document that cannot be cut so keeps its vector, and the collection says that it is not done', async () => {
  const dataDir = await newDataDir()
  const service = await openJobService(dataDir, { passagesPerDocumentMax: 3 })
  await service
    .http()
    .post('/documents')
    .send({
      documents: [
        { id: 'a', text: LONG },
        { id: 'b', text: 'Short.' },
      ],
    })
    .expect(200)
  const { id } = await service.create({ kind: 'rechunk', chunking: CHUNKING })
  expect(await service.until(id)).toMatchObject({ state: 'done', result: { documents: 2, failed: 1 } })
  const errors = (await service.http().get(`/jobs/${id}/errors`).expect(200)).body.errors
  expect(errors).toMatchObject([{ id: 'a', code: 'TOO_LARGE' }])
  const info = (await service.http().get('/info').expect(200)).body
  expect(info.earlier_chunking).toEqual({ kind: 'whole' })
  expect((await service.http().get('/collections/default')).body.passages).toBe(2)
})

test('what cannot be cut again is refused', async () => {
  const { http } = await openJobService(await newDataDir())
  await http()
    .put('/collections/own')
    .send({ vectors: { dimensions: 3 } })
    .expect(201)
  const cases: [object, number][] = [
    [{ collection: 'own', chunking: { kind: 'passages' } }, 422],
    [{ collection: 'nobody', chunking: { kind: 'passages' } }, 404],
    [{ chunking: { kind: 'passages', tokens: 1 } }, 422],
    [{}, 422],
  ]
  for (const [body, status] of cases) {
    await http()
      .post('/jobs')
      .send({ kind: 'rechunk', ...body })
      .expect(status)
  }
})
