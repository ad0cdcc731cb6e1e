import { afterAll, beforeAll, expect, test } from 'vitest'
import { COLOURS, openService, type Service } from './service.ts'

let service: Service
let dimensions = 0
beforeAll(async () => {
  service = await openService()
  dimensions = service.encoder.card.dimensions
  await service.http().post('/documents').send({ documents: COLOURS }).expect(200)
})
afterAll(() => service.close())

async function stored(id: string): Promise<number[]> {
  const [passages] = await service.index.passages([id])
  return Array.from(passages![0]!.vector)
}

const near = (numbers: number[]) => numbers.map((number) => expect.closeTo(number, 6))

test('hits, documents and lists show the vectors that are stored', async () => {
  const { http } = service
  const sky = await stored('sky')
  const found = await http()
    .post('/search')
    .send({ like: 'sea', k: 2, include: ['vector'] })
    .expect(200)
  const hit = found.body.results.find(({ id }: { id: string }) => id === 'sky')
  expect(hit.vector).toEqual(near(sky))
  expect(hit).not.toHaveProperty('text')
  const again = await http().post('/search').send({ vector: hit.vector, k: 1 }).expect(200)
  expect(again.body.results[0]).toMatchObject({ id: 'sky', score: expect.closeTo(1, 5) })
  expect(again.body.results[0]).not.toHaveProperty('vector')
  const one = await http().get('/documents/sky?include=title,vector').expect(200)
  expect(one.body).toEqual({ id: 'sky', title: 'Sky', vector: near(sky) })
  const list = await http().get('/documents?include=vector').expect(200)
  expect(list.body.documents.map(({ vector }: { vector: number[] }) => vector.length)).toEqual(
    COLOURS.map(() => dimensions),
  )
  expect((await http().get('/documents/sky').expect(200)).body).not.toHaveProperty('vector')
})

test('as base64 they are the stored numbers bit for bit', async () => {
  const body = { filter: { year: 2021 }, include: ['vector'], encoding_format: 'base64' }
  const { documents } = (await service.http().post('/documents/query').send(body).expect(200)).body
  const bytes = Buffer.from(documents[0].vector, 'base64')
  expect(Array.from({ length: dimensions }, (_, i) => bytes.readFloatLE(i * 4))).toEqual(await stored('sky'))
})

test('an answer holds so many numbers: a search for more is refused, a page ends earlier', async () => {
  const small = await openService({ answerVectorNumbersMax: 2 * dimensions })
  const { http } = small
  await http().post('/documents').send({ documents: COLOURS }).expect(200)
  const refused = await http()
    .post('/search')
    .send({ query: 'sea', k: 3, include: ['vector'] })
    .expect(413)
  expect(refused.body).toMatchObject({ code: 'TOO_LARGE', details: { limit: 2 * dimensions } })
  await http()
    .post('/search')
    .send({ query: 'sea', k: 2, include: ['vector'] })
    .expect(200)
  const page = await http().get('/documents?include=vector').expect(200)
  expect(page.body.documents).toHaveLength(2)
  expect(page.body.next_cursor).not.toBeNull()
  await small.close()
})
