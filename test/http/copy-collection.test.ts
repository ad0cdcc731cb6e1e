import { expect, test } from 'vitest'
import { openCollections } from '../collections/open.ts'
import { scratchFolder } from '../index/scratch.ts'
import { COLOURS } from './service.ts'
import { openStored } from './stored-service.ts'

const LONG = { id: 'long', title: 'Words', text: 'one word after another. '.repeat(60), metadata: { n: 1 } }

test('a copy has the same documents and, cut alike, the same vectors', async () => {
  const { http } = await openStored(await scratchFolder())
  await http()
    .post('/documents')
    .send({ documents: [...COLOURS, LONG] })
    .expect(200)
  const copied = await http()
    .post('/collections/default/copy')
    .send({ to: 'copy', analysis: 'plain' })
    .expect(201)
  expect(copied.headers['location']).toBe('/collections/copy')
  expect(copied.body).toMatchObject({ copied: 4, failed: 0, errors: [] })
  expect(copied.body.collection).toMatchObject({ name: 'copy', documents: 4, analysis: 'plain' })
  const list = async (at: string) =>
    (await http().get(`${at}/documents?include=title,text,metadata,vector`)).body
  expect(await list('/collections/copy')).toEqual(await list(''))
  await http().post('/collections/default/copy').send({ to: 'copy' }).expect(409)
  await http().post('/collections/none/copy').send({ to: 'other' }).expect(404)
})

test('cut in another way, a copy is made of the texts, without the client', async () => {
  const { http } = await openStored(await scratchFolder())
  await http()
    .post('/documents')
    .send({ documents: [LONG] })
    .expect(200)
  const body = { to: 'cut', chunking: { kind: 'passages', tokens: 16 } }
  const { collection } = (await http().post('/collections/default/copy').send(body).expect(201)).body
  expect(collection.documents).toBe(1)
  expect(collection.passages).toBeGreaterThan(3)
  const found = await http().post('/collections/cut/search').send({ query: 'one word', k: 1 }).expect(200)
  expect(found.body.results[0]).toMatchObject({ id: 'long', metadata: { n: 1 } })
})

test('what the new one does not take is named; too much for one request is refused, and nothing is left', async () => {
  const { http } = await openStored(await scratchFolder(), { copyDocumentsMax: 3 })
  const documents = [
    { id: 'dated', text: 'a', metadata: { day: '2026-01-31' } },
    { id: 'odd', text: 'b', metadata: { day: 'some day' } },
  ]
  await http().post('/documents').send({ documents }).expect(200)
  const { body } = await http()
    .post('/collections/default/copy')
    .send({ to: 'dates', dates: ['day'] })
    .expect(201)
  expect(body).toMatchObject({ copied: 1, failed: 1, errors: [{ id: 'odd', code: 'INVALID_INPUT' }] })
  await http().post('/documents').send({ documents: COLOURS }).expect(200)
  const refused = await http().post('/collections/default/copy').send({ to: 'all' }).expect(413)
  expect(refused.body.details).toEqual({ limit: 3 })
  await http().get('/collections/all').expect(404)
})

test('own vectors stay; those of another model are made anew by the one that runs', async () => {
  const dataDir = await scratchFolder()
  const { engine, collections, close } = await openCollections(dataDir)
  const { settings } = collections.default.index
  await engine.create('old', { dimensions: 2, fingerprint: 'model-of-before' }, settings)
  await close()
  const { http } = await openStored(dataDir)
  const documents = [{ id: 'sea', text: 'the sea is blue', vector: [0, 1] }]
  await http().post('/collections/old/documents').send({ documents }).expect(200)
  expect((await http().get('/collections/old').expect(200)).body).toMatchObject({ vectors: 'other_model' })
  const refused = await http()
    .post('/collections/old/search')
    .send({ query: 'sea', mode: 'dense' })
    .expect(409)
  expect(refused.body.code).toBe('OTHER_MODEL')
  await http().post('/collections/old/copy').send({ to: 'new' }).expect(201)
  const found = await http().post('/collections/new/search').send({ query: 'sea', k: 1 }).expect(200)
  expect(found.body.results[0].id).toBe('sea')
  await http()
    .put('/collections/own')
    .send({ vectors: { dimensions: 2 } })
    .expect(201)
  await http().post('/collections/own/documents').send({ documents }).expect(200)
  const { collection } = (await http().post('/collections/own/copy').send({ to: 'own-2' }).expect(201)).body
  expect(collection).toMatchObject({ vectors: 'own', dimensions: 2, documents: 1 })
  expect((await http().get('/collections/own-2/documents/sea?include=vector')).body).toEqual({
    id: 'sea',
    vector: [0, 1],
  })
})
