import { afterEach, expect, test } from 'vitest'
import { openService, type Service } from '../service.ts'
import { ALICE, BOB, KEYS, postHead, type RawClient, rawClient, statusOf, until } from './clients.ts'

let service: Service
const clients: RawClient[] = []
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy()
  await service.close()
})

const LINE = `${JSON.stringify({ text: 'a line' })}\n`
const send = (bytes: string) => {
  const client = rawClient(service.url, bytes)
  clients.push(client)
  return client
}
const stream = (key: string) => send(`${postHead('/documents', key, 1000, 'application/x-ndjson')}${LINE}`)
const ingest = (key: string) =>
  service
    .http()
    .post('/documents')
    .set('authorization', `Bearer ${key}`)
    .set('content-type', 'application/x-ndjson')
    .send(LINE)

test('streams of one key leave places for the streams of another', async () => {
  service = await openService({ apiKeys: KEYS, ingestRequestsMax: 8 })
  const streams = Array.from({ length: 8 }, () => stream(ALICE))
  const refused = () => streams.filter(({ answer }) => statusOf(answer()) === 429)
  await until(() => refused().length >= 2)
  expect(refused()).toHaveLength(2)
  await refused()[0]!.closed
  expect(refused()[0]!.answer()).toContain('INGEST_REQUESTS_MAX')
  await ingest(ALICE).expect(429)
  await ingest(BOB).expect(200)
  await service.http().get('/info').set('authorization', `Bearer ${ALICE}`).expect(200)
})

test('a stream that trickles is cut off, and learns how far it came', async () => {
  service = await openService({
    apiKeys: KEYS,
    ingestIdleMsMax: 300,
    bodyBytesPerSecondMin: 1000,
    ingestBatchDocuments: 1,
  })
  const { socket, closed } = stream(ALICE)
  const trickle = setInterval(() => socket.write('{'), 20)
  const answer = await closed
  clearInterval(trickle)
  expect(statusOf(answer)).toBe(408)
  expect(answer).toContain('"code":"TOO_SLOW"')
  expect(answer).toContain('"committed_lines":1')
})

/** Keeps calls of an index waiting until the returned function is called. */
function hold(method: 'get' | 'remove'): () => void {
  const { index } = service
  let goOn = () => {}
  const held = new Promise<void>((resolve) => (goOn = resolve))
  const { get, remove } = index
  if (method === 'get') index.get = (...call) => held.then(() => get.apply(index, call))
  else index.remove = (...call) => held.then(() => remove.apply(index, call))
  return goOn
}

test.each([
  ['requests', 'get', 'get', { requestsMax: 4 }],
  ['deletions', 'remove', 'delete', { deletionsMax: 4 }],
] as const)('%s of one key leave places for those of another', async (_, method, verb, limits) => {
  service = await openService({ apiKeys: KEYS, ...limits })
  const goOn = hold(method)
  const statuses: number[] = []
  const call = async (key: string) => {
    const { status } = await service.http()[verb]('/documents/a').set('authorization', `Bearer ${key}`)
    statuses.push(status)
  }
  const alice = Array.from({ length: 6 }, () => call(ALICE))
  await until(() => statuses.length === 3)
  expect(statuses).toEqual([429, 429, 429])
  const bob = call(BOB)
  goOn()
  await Promise.all([...alice, bob])
  expect(statuses.slice(3)).toEqual([404, 404, 404, 404])
})

test('without keys, clients are told apart by address, as a trusted proxy forwards it', async () => {
  service = await openService({ ingestRequestsMax: 2, trustProxy: ['loopback'] })
  const from = (address: string) => ingest('none').set('x-forwarded-for', address)
  const head = postHead('/documents', 'none', 1000, 'application/x-ndjson')
  send(`${head.replace('\r\n\r\n', '\r\nx-forwarded-for: 192.0.2.1\r\n\r\n')}${LINE}`)
  await until(async () => (await from('192.0.2.1')).status === 429)
  // The last address is the one that the proxy has seen; what is before it, the client wrote.
  await from('192.0.2.9, 192.0.2.1').expect(429)
  await from('192.0.2.2').expect(200)
})

test('an answer that nobody reads is given up, and its place with it', async () => {
  service = await openService({ apiKeys: KEYS, requestsMax: 1, requestTimeoutMs: 3000 })
  const text = 'a'.repeat(1_000_000)
  const { encoder, index } = service
  const { vectors } = await encoder.encode(['a'], ['ebae'])
  for (let i = 0; i < 24; i++) {
    const document = { id: `${i}`, title: null, text, metadata: {} }
    const passages = [{ span: { start: 0, end: text.length }, vector: vectors.ebae[0]! }]
    await index.upsert([{ document: document as never, passages }])
  }
  const reader = send(`GET /documents?limit=24 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${ALICE}\r\n\r\n`)
  reader.socket.pause()
  const info = async () => (await service.http().get('/info').set('authorization', `Bearer ${BOB}`)).status
  await until(async () => (await info()) === 429)
  await until(async () => (await info()) === 200)
  expect(reader.socket.bytesRead).toBeLessThan(24 * text.length)
})

test('the texts of one key do not fill the queue for another', async () => {
  service = await openService({
    apiKeys: KEYS,
    queueTextsMax: 64,
    queriesPerRequestMax: 16,
    clientSharePercent: 50,
  })
  const search = (key: string, queries: string[]) =>
    service.http().post('/search').set('authorization', `Bearer ${key}`).send({ queries })
  const queries = Array.from({ length: 16 }, (_, i) => `${i} what is blue and deep `.repeat(8))
  let attacking = true
  const attacks = Array.from({ length: 12 }, async () => {
    const statuses: number[] = []
    while (attacking) statuses.push((await search(ALICE, queries)).status)
    return statuses
  })
  const answers: number[] = []
  for (let i = 0; i < 20; i++) answers.push((await search(BOB, queries)).status)
  attacking = false
  const statuses = (await Promise.all(attacks)).flat()
  expect(answers).toEqual(answers.map(() => 200))
  expect(new Set(statuses)).toEqual(new Set([200, 429]))
})
