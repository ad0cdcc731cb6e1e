import { expect, test } from 'vitest'
import { scratchFolder } from '../index/scratch.ts'
import { openStored } from './stored-service.ts'

const LONG = 'the sky is blue and the sea is deep. '.repeat(200)

test('a full database says so without a path, and deleting makes room again', async () => {
  const dataDir = await scratchFolder()
  const { http } = await openStored(dataDir, { databaseBytesMax: 800_000 })
  const send = (ids: string[]) =>
    http()
      .post('/documents')
      .send({ documents: ids.map((id) => ({ id, text: LONG })) })
  const kept: string[] = []
  let answer = await send(['d0'])
  for (let n = 1; answer.status === 200; n++) {
    kept.push(answer.body.ids[0])
    answer = await send([`d${n}`])
  }
  expect(kept.length).toBeGreaterThan(10)
  expect(answer.status).toBe(503)
  expect(answer.body).toMatchObject({ code: 'STORE_UNUSABLE', detail: expect.stringContaining('full') })
  expect(JSON.stringify(answer.body)).not.toContain(dataDir)
  expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1)

  const half = kept.slice(0, kept.length / 2)
  const gone = await http().post('/documents/delete').send({ ids: half }).expect(200)
  expect(gone.body).toEqual({ removed: half.length })
  await send(['again']).expect(200)
  await http().get('/documents/again').expect(200)
  await http()
    .get(`/documents/${kept.at(-1)}`)
    .expect(200)
})
