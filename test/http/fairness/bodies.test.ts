import { afterEach, expect, test } from 'vitest'
import { openService, type Service } from '../service.ts'
import { ALICE, BOB, KEYS, postHead, type RawClient, rawClient, statusOf, until } from './clients.ts'

let service: Service
const clients: RawClient[] = []
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy()
  await service.close()
})

function attack(count: number, bytes: string): RawClient[] {
  const attackers = Array.from({ length: count }, () => rawClient(service.url, bytes))
  clients.push(...attackers)
  return attackers
}

const connections = () =>
  new Promise<number>((resolve) => service.server.server.getConnections((_, count) => resolve(count)))
const search = (key: string, query = 'why is the sky blue') =>
  service.http().post('/search').set('authorization', `Bearer ${key}`).send({ query })

test('half-sent requests keep no places, neither of others nor of their own key', async () => {
  service = await openService({ apiKeys: KEYS, requestsMax: 4, ingestRequestsMax: 2 })
  const searches = attack(40, `${postHead('/search', ALICE, 100)}{"query":`)
  const ingests = attack(20, `${postHead('/documents', ALICE, 100)}{"documents":`)
  await until(async () => (await connections()) >= 60)
  for (const key of [BOB, ALICE]) {
    await search(key).expect(200)
    const documents = [{ id: 'a', text: 'a text' }]
    await service
      .http()
      .post('/documents')
      .set('authorization', `Bearer ${key}`)
      .send({ documents })
      .expect(200)
  }
  for (const probe of ['/livez', '/readyz']) await service.http().get(probe).expect(200)
  await service.http().get('/metrics').set('authorization', `Bearer ${BOB}`).expect(200)
  expect([...searches, ...ingests].filter((client) => client.answer() !== '')).toEqual([])
})

test('a body that stops coming is answered with 408, and its connection is closed', async () => {
  service = await openService({ apiKeys: KEYS, bodyWindowMs: 100, bodyBytesPerSecondMin: 1000 })
  const [search, ingest, chunked] = [
    `${postHead('/search', ALICE, 100)}{"query":`,
    `${postHead('/documents', ALICE, 100)}{"documents":`,
    `${postHead('/embed', ALICE, 100).replace('content-length: 100', 'transfer-encoding: chunked')}5\r\n{"tex\r\n`,
  ].map((bytes) => attack(1, bytes)[0]!)
  for (const { closed } of [search!, ingest!, chunked!]) {
    const answer = await closed
    expect(statusOf(answer)).toBe(408)
    expect(answer).toContain('"code":"TOO_SLOW"')
    expect(answer).toContain('BODY_BYTES_PER_SECOND_MIN')
    expect(answer.toLowerCase()).toContain('connection: close')
  }
})

test('withheld bodies hold bounded memory, and leave room for others', async () => {
  const KIB = 1024
  service = await openService({
    apiKeys: KEYS,
    bodyBytesMax: 64 * KIB,
    bodyMemoryBytesMax: 256 * KIB,
    clientSharePercent: 50,
  })
  const withheld = `${postHead('/search', ALICE, 60 * KIB)}${' '.repeat(50 * KIB)}`
  const attackers = attack(24, withheld)
  const refused = () => attackers.filter(({ answer }) => statusOf(answer()) === 429)
  // Half of the memory has room for two of them.
  await until(() => refused().length >= 22)
  for (const { closed } of refused())
    expect(await closed).toMatch(/"code":"OVERLOADED".*BODY_MEMORY_BYTES_MAX/)
  expect(refused()[0]!.answer()).toMatch(/retry-after: 1/i)
  // More than one body at once of another client, and in the body's limit.
  const answers = await Promise.all([1, 2].map(() => search(BOB, 'b'.repeat(8 * KIB))))
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
  for (const { socket } of attackers) socket.destroy()
  await until(async () => (await search(ALICE, 'a'.repeat(8 * KIB))).status === 200)
})

test('the only body of a client may have any size that is allowed', async () => {
  service = await openService({
    apiKeys: KEYS,
    bodyBytesMax: 64 * 1024,
    bodyMemoryBytesMax: 1024,
    clientSharePercent: 10,
  })
  const texts = Array.from({ length: 40 }, () => 'a'.repeat(1000))
  await service
    .http()
    .post('/embed')
    .set('authorization', `Bearer ${ALICE}`)
    .send({ texts, prompt: 'ebae' })
    .expect(200)
})
