import { expect, test } from 'vitest'
import { damageRows } from '../index/damage.ts'
import { scratchFolder } from '../index/scratch.ts'
import { COLOURS } from './service.ts'
import { openStored } from './stored-service.ts'

const K = 3
const sky = COLOURS[0]!
const MORE = ['snow is white', 'coal is black', 'roses are red', 'the sun is yellow'].map((text, i) => ({
  id: `more-${i}`,
  title: null,
  text,
  metadata: { year: 2000 + i },
}))
const documents = [...COLOURS, ...MORE]

/** A service whose document "sky" was damaged on the disk while it was stopped. */
async function damagedService() {
  const dataDir = await scratchFolder()
  const before = await openStored(dataDir)
  await before.http().post('/documents').send({ documents }).expect(200)
  await before.close()
  damageRows(dataDir, "UPDATE documents SET text = 'the sky is green' WHERE id = 'sky'")
  const { http, log, close } = await openStored(dataDir)
  const store = async () => (await http().get('/info').expect(200)).body.store
  const gauge = async () => {
    const { text } = await http().get('/metrics').expect(200)
    return text.match(/^llara_index_damaged_documents(?:\{.*\})? (\d+)$/m)?.[1]
  }
  const found = async (more: object = {}) => {
    const { body } = await http()
      .post('/search')
      .send({ query: sky.text, k: K, ...more })
      .expect(200)
    return body.results.map(({ id }: { id: string }) => id) as string[]
  }
  return { http, log, close, store, gauge, found, reopen: () => openStored(dataDir) }
}

test('a damaged document is left out of answers, refused by id, said and counted', async () => {
  const { http, log, store, gauge, found } = await damagedService()
  for (const more of [{}, { exact: true }, { filter: { year: { $gte: 2000 } } }]) {
    const ids = await found(more)
    expect(ids).toHaveLength(K)
    expect(ids).not.toContain('sky')
  }
  const refused = await http().get('/documents/sky').expect(500)
  expect(refused.headers['content-type']).toContain('application/problem+json')
  expect(refused.body).toMatchObject({
    code: 'DOCUMENT_DAMAGED',
    detail: expect.stringContaining('Store it again, or delete it'),
  })
  expect(refused.text).not.toContain('green')
  await http().get('/documents/sea').expect(200)

  const page = await http().get('/documents').expect(200)
  expect(page.body.documents).toHaveLength(documents.length - 1)
  expect(await store()).toMatchObject({ documents: documents.length - 1, damaged_documents: 1 })
  expect(await gauge()).toBe('1')
  expect(log.filter((line) => line.includes('document-damaged'))).toHaveLength(1)
  expect(log.join()).not.toContain('green')
})

test('storing a damaged document again heals it', async () => {
  const { http, close, store, gauge, found, reopen } = await damagedService()
  const { body } = await http()
    .post('/documents')
    .send({ documents: [sky] })
    .expect(200)
  expect(body).toMatchObject({ created: 0, updated: 1 })
  expect((await http().get('/documents/sky').expect(200)).body).toMatchObject(sky)
  expect(await found({ k: documents.length })).toContain('sky')
  expect(await store()).toMatchObject({ documents: documents.length, damaged_documents: 0 })
  expect(await gauge()).toBe('0')
  await close()
  const again = await reopen()
  expect((await again.http().get('/documents/sky').expect(200)).body).toMatchObject(sky)
  expect(again.log).toEqual([])
})

test('deleting a damaged document heals it', async () => {
  const { http, store, gauge, found } = await damagedService()
  await http().delete('/documents/sky').expect(200, { removed: 1 })
  await http().get('/documents/sky').expect(404)
  expect(await found({ k: documents.length })).not.toContain('sky')
  expect(await store()).toMatchObject({ documents: documents.length - 1, damaged_documents: 0 })
  expect(await gauge()).toBe('0')
})
