import { expect, test } from 'vitest'
import { scratchFolder } from '../index/scratch.ts'
import { COLOURS } from './service.ts'
import { openStored } from './stored-service.ts'

test('a collection is created, filled, searched, listed, looked at, changed and dropped', async () => {
  const { http } = await openStored(await scratchFolder())
  const body = {
    mode: 'dense',
    hnsw: { m: 8, ef_construction: 100 },
    analysis: 'plain',
    dates: ['published'],
  }
  const created = await http().put('/collections/docs').send(body).expect(201)
  expect(created.headers['location']).toBe('/collections/docs')
  const what = { ...body, name: 'docs', aliases: [], vectors: 'model', chunking: { kind: 'whole' } }
  expect(created.body).toMatchObject(what)
  const stored = await http().post('/collections/docs/documents').send({ documents: COLOURS }).expect(200)
  expect(stored.body.created).toBe(3)
  const found = await http().post('/collections/docs/search').send({ query: 'the sea', k: 1 }).expect(200)
  expect(found.body.results).toHaveLength(1)
  // The default collection knows nothing of it.
  expect((await http().post('/search').send({ query: 'the sea' })).body.results).toEqual([])
  const info = await http().get('/collections/docs').expect(200)
  expect(info.body).toMatchObject({ ...what, documents: 3, passages: 3, damaged_documents: 0 })
  const list = await http().get('/collections').expect(200)
  expect(list.body.collections.map(({ name }: { name: string }) => name)).toEqual(['default', 'docs'])
  const changed = await http()
    .patch('/collections/docs')
    .send({ hnsw: { ef: 50 } })
    .expect(200)
  expect(changed.body.hnsw).toEqual({ m: 8, ef_construction: 100, ef: 50 })
  await http().delete('/collections/docs').expect(200, { removed: 1 })
  await http().get('/collections/docs').expect(404)
  await http().post('/collections/docs/search').send({ query: 'a' }).expect(404)
  expect((await http().put('/collections/docs').send({}).expect(201)).body.name).toBe('docs')
  expect((await http().get('/collections/docs').expect(200)).body.documents).toBe(0)
})

test('every route of documents works on any collection', async () => {
  const { http } = await openStored(await scratchFolder())
  await http().put('/collections/docs').send({}).expect(201)
  const at = '/collections/docs'
  const lines = COLOURS.map((document) => JSON.stringify(document)).join('\n')
  await http().post(`${at}/documents`).type('application/x-ndjson').send(lines).expect(200)
  expect((await http().get(`${at}/documents/sky`).expect(200)).body.text).toBe('the sky is blue')
  expect((await http().get(`${at}/documents?limit=2`).expect(200)).body.documents).toHaveLength(2)
  const filter = { year: { $gt: 2020 } }
  expect((await http().post(`${at}/documents/query`).send({ filter, count: true })).body.total).toBe(2)
  await http().delete(`${at}/documents/sky`).expect(200, { removed: 1 })
  await http().post(`${at}/documents/delete`).send({ all: true }).expect(200, { removed: 2 })
  await http().head(`${at}/documents`).expect(200)
})

test('an alias stands for a collection, and moves to another one in one step', async () => {
  const dataDir = await scratchFolder()
  const { http, close } = await openStored(dataDir)
  for (const name of ['docs-1', 'docs-2']) await http().put(`/collections/${name}`).send({}).expect(201)
  await http().put('/aliases/docs').send({ collection: 'docs-1' }).expect(200)
  await http().post('/collections/docs/documents').send({ documents: COLOURS }).expect(200)
  expect((await http().get('/collections/docs-1')).body).toMatchObject({ documents: 3, aliases: ['docs'] })
  await http().put('/aliases/docs').send({ collection: 'docs-2' }).expect(200)
  expect((await http().get('/collections/docs')).body).toMatchObject({ name: 'docs-2', documents: 0 })
  await http().delete('/collections/docs-1').expect(200)
  await close()
  const again = await openStored(dataDir)
  const { body } = await again.http().get('/aliases').expect(200)
  expect(body).toEqual({ aliases: [{ alias: 'docs', collection: 'docs-2' }] })
  await again.http().delete('/aliases/docs').expect(200, { removed: 1 })
  await again.http().get('/collections/docs').expect(404)
})

test('what stands in the way of another is a conflict', async () => {
  const { http } = await openStored(await scratchFolder())
  await http().put('/collections/docs').send({}).expect(201)
  await http().put('/aliases/live').send({ collection: 'docs' }).expect(200)
  const conflicts = [
    http().put('/collections/docs').send({}),
    http().put('/collections/default').send({}),
    http().put('/collections/live').send({}),
    http().put('/aliases/docs').send({ collection: 'docs' }),
    http().put('/aliases/default').send({ collection: 'docs' }),
    http().delete('/collections/default'),
    http().delete('/collections/docs'),
  ]
  for (const answer of await Promise.all(conflicts)) {
    expect([answer.status, answer.body.code]).toEqual([409, 'CONFLICT'])
  }
  const missing = [
    http().delete('/collections/live'),
    http().delete('/aliases/none'),
    http().put('/aliases/other').send({ collection: 'none' }),
    http().patch('/collections/none').send({ mode: 'dense' }),
    http().get('/collections/none/documents'),
  ]
  for (const answer of await Promise.all(missing)) {
    expect([answer.status, answer.body.code]).toEqual([404, 'NOT_FOUND'])
  }
})

test('names and settings that cannot be are refused', async () => {
  const { http } = await openStored(await scratchFolder(), { collectionsMax: 2 })
  for (const name of ['A', '_a', '-a', 'a.b', 'nul', 'com1', '%2e%2e']) {
    const { status, body } = await http().put(`/collections/${name}`).send({})
    expect([name, status, body.code]).toEqual([name, 422, 'INVALID_INPUT'])
  }
  await http()
    .put(`/collections/${'x'.repeat(65)}`)
    .send({})
    .expect(413)
  const bodies = [
    { model: 'another' },
    { mode: 'best' },
    { hnsw: { m: 1 } },
    { chunking: { kind: 'whole', tokens: 3 } },
    { chunking: { kind: 'passages', tokens: 1 } },
    { chunking: { kind: 'passages', tokens: 8, overlap: 8 } },
    { vectors: { dimensions: 0 } },
    { surprise: 1 },
  ]
  for (const body of bodies) await http().put('/collections/a').send(body).expect(422)
  await http().put('/collections/a').send({}).expect(201)
  const full = await http().put('/collections/b').send({}).expect(413)
  expect(full.body.details).toEqual({ limit: 2 })
  await http().patch('/collections/a').send({}).expect(422)
})

test('collections are listed page by page', async () => {
  const { http } = await openStored(await scratchFolder())
  for (const name of ['c', 'a', 'e']) await http().put(`/collections/${name}`).send({}).expect(201)
  const names: string[] = []
  for (let cursor = ''; ; ) {
    const { body } = await http().get(`/collections?limit=2${cursor}`).expect(200)
    names.push(...body.collections.map(({ name }: { name: string }) => name))
    if (body.next_cursor === null) break
    cursor = `&cursor=${body.next_cursor}`
  }
  expect(names).toEqual(['a', 'c', 'default', 'e'])
})
