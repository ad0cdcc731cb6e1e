import { rename, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { scratchFolder } from '../index/scratch.ts'
import { openStored } from './stored-service.ts'

test('a service whose data folder is moved away says so, answers from what it has, and recovers', async () => {
  const dataDir = await scratchFolder()
  const moved = `${dataDir}-moved`
  onTestFinished(() => rm(moved, { recursive: true, force: true }))
  const { http, log } = await openStored(dataDir)
  const send = (id: string) =>
    http()
      .post('/documents')
      .send({ documents: [{ id, text: 'the sky is blue' }] })
  const status = async () => (await http().get('/readyz')).status
  await send('sky').expect(200)
  await rename(dataDir, moved)

  const { body, headers } = await send('lost').expect(503)
  expect(body).toMatchObject({
    code: 'STORE_UNUSABLE',
    detail: expect.stringContaining('removed or replaced'),
  })
  expect(body.detail).not.toContain(dataDir)
  expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1)
  while ((await status()) === 200) await sleep(50)
  await http().get('/livez').expect(200)
  await http().get('/documents/sky').expect(200)
  expect(log.some((line) => line.includes('removed or replaced'))).toBe(true)

  await rename(moved, dataDir)
  while ((await status()) !== 200) await sleep(50)
  await send('sea').expect(200)
})
