import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import request from 'supertest'
import { afterEach, expect, test } from 'vitest'
import { createApp } from '../../../src/app.ts'
import { defaultConfig } from '../../../src/config/read.ts'
import { tinyModel } from '../../fixtures/tiny-model.ts'
import { openService } from '../service.ts'
import { ALICE, BOB, KEYS, postHead, type RawClient, rawClient, until } from './clients.ts'

const KIB = 1024

const texts = (count: number, bytes: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `d${i}`, text: 'word '.repeat(bytes / 5) }))

const clients: RawClient[] = []
afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.destroy()
})

test('an answer of more text than it may hold is refused, and says what to ask for', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'llara-answers-'))
  const settings = { model: await tinyModel(), dataDir, port: 0, answerBytesMax: 100 * KIB }
  const app = await createApp({ ...defaultConfig(), logLevel: 'silent', ...settings })
  const { url } = await app.start()
  const http = request(url)
  await http
    .post('/documents')
    .send({ documents: texts(10, 20 * KIB) })
    .expect(200)
  const { body } = await http.post('/search').send({ query: 'a word', k: 10 }).expect(413)
  expect(body).toMatchObject({ code: 'TOO_LARGE', details: { limit: 100 * KIB } })
  expect(body.detail).toMatch(/with k, or for fewer fields with include/)
  const fields = { include: ['title', 'metadata'] }
  const titles = await http
    .post('/search')
    .send({ query: 'a word', k: 10, ...fields })
    .expect(200)
  expect(titles.body.results).toHaveLength(10)
  expect(titles.body.results[0]).toMatchObject({ title: null, metadata: {} })
  expect(titles.body.results[0]).not.toHaveProperty('text')
  const page = await http.get('/documents?limit=10').expect(200)
  expect(page.body.documents).toHaveLength(4)
  expect(page.body.next_cursor).not.toBeNull()
  await app.close()
})

test('answers that nobody reads hold bounded memory, and leave room for others', async () => {
  const service = await openService({
    apiKeys: KEYS,
    answerMemoryBytesMax: 8000 * KIB,
    clientSharePercent: 50,
  })
  const search = (key: string, k: number) =>
    service.http().post('/search').auth(key, { type: 'bearer' }).send({ query: 'a word', k, mode: 'dense' })
  await service
    .http()
    .post('/documents')
    .auth(BOB, { type: 'bearer' })
    .send({ documents: texts(40, 20 * KIB) })
    .expect(200)
  const body = '{"query":"a word","k":40,"mode":"dense"}'
  const bytes = `${postHead('/search', ALICE, body.length)}${body}`
  for (let i = 0; i < 12; i++) {
    const client = rawClient(service.url, bytes.repeat(6))
    client.socket.pause()
    clients.push(client)
  }
  // Larger than what the buffers of connections take: these answers stay with the service.
  const refusals = async () => {
    const { text } = await service.http().get('/metrics').auth(BOB, { type: 'bearer' })
    return /duration_seconds_count\{[^}]*route="\/search",status="429"/.test(text)
  }
  await until(refusals)
  for (let i = 0; i < 3; i++) await search(BOB, 40).expect(200)
  for (const { socket } of clients) socket.destroy()
  await until(async () => (await search(ALICE, 40)).status === 200)
  await service.close()
})
