import { request as httpRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { raw } from './raw.ts'
import { openService, type Service } from './service.ts'

const BATCH = 8
let service: Service
beforeAll(async () => {
  service = await openService({
    ingestBatchDocuments: BATCH,
    lineBytesMax: 1024,
    textBytesMax: 1024,
    bodyBytesMax: 2048,
    ingestIdleMsMax: 400,
    ingestRequestsMax: 2,
    // Room for hardly more than one batch: the stream must wait, not fail.
    queueTextsMax: BATCH + 1,
  })
})
afterAll(() => service.close())

const post = (body: string | Buffer, query = {}) =>
  service.http().post('/documents').query(query).set('content-type', 'application/x-ndjson').send(body)
const line = (id: string, text = `text of ${id}`) => `${JSON.stringify({ id, text })}\n`
const lines = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => line(`${prefix}-${String(i).padStart(4, '0')}`)).join('')
const stored = (prefix: string) =>
  service.index
    .scan({ limit: 10_000 })
    .then(({ documents }) => documents.filter(({ id }) => id.startsWith(prefix)).map(({ id }) => id))

test('a stream larger than any JSON body is stored whole, through a full queue', async () => {
  const body = lines('bulk', 300)
  expect(body.length).toBeGreaterThan(4096)
  const { body: answer } = await post(body).expect(200)
  expect(answer).toMatchObject({
    created: 300,
    updated: 0,
    failed: 0,
    errors: [],
    lines: 300,
    truncated_total: 0,
  })
  expect(answer.ids).toHaveLength(300)
  expect(answer.ids[0]).toBe('bulk-0000')
  expect(await stored('bulk')).toHaveLength(300)
})

test('faulty lines are told by number and the rest is stored', async () => {
  const body = [
    line('ok-1').trim(),
    'not json with secret',
    '{"id":"no-text"}',
    '',
    '{"id":"x","text":"a","colour":1}',
    `{"id":"huge","text":"${'y'.repeat(2000)}"}`,
    '{"id":"blank","text":"  "}',
    '[1]',
    line('ok-2', '\ud83c\udf0a wave').trim(),
    '{"text":"\\ud800"}',
  ].join('\r\n')
  const { body: answer } = await post(body).expect(200)
  expect(answer).toMatchObject({ created: 2, failed: 7, lines: 10, ids: ['ok-1', 'ok-2'] })
  expect(answer.errors.map(({ line, code }: { line: number; code: string }) => [line, code])).toEqual([
    [2, 'INVALID_INPUT'],
    [3, 'INVALID_INPUT'],
    [5, 'INVALID_INPUT'],
    [6, 'TOO_LARGE'],
    [7, 'INVALID_INPUT'],
    [8, 'INVALID_INPUT'],
    [10, 'INVALID_INPUT'],
  ])
  expect(JSON.stringify(answer)).not.toContain('secret')
})

test('bytes that are not UTF-8 are a fault of their line', async () => {
  const body = Buffer.concat([
    Buffer.from(line('u-1')),
    Buffer.from([0x22, 0xff, 0x22, 0x0a]),
    Buffer.from(line('u-2')),
  ])
  const { body: answer } = await post(body).expect(200)
  expect(answer).toMatchObject({ created: 2, failed: 1 })
  expect(answer.errors[0]).toMatchObject({ line: 2, detail: 'The line is not UTF-8.' })
})

test('truncate: error makes a long text a fault of its line only', async () => {
  const body = line('t-1') + line('t-2', 'word '.repeat(180)) + line('t-3')
  const { body: answer } = await post(body, { truncate: 'error' }).expect(200)
  expect(answer).toMatchObject({ created: 2, failed: 1, ids: ['t-1', 't-3'] })
  expect(answer.errors).toMatchObject([{ line: 2, code: 'TEXT_TOO_LONG' }])
  const cut = await post(body).expect(200)
  expect(cut.body).toMatchObject({ created: 1, updated: 2, truncated: ['t-2'], truncated_total: 1 })
})

test('of equal ids the last wins, across batches too', async () => {
  const body = line('twice', 'first') + lines('between', BATCH * 2) + line('twice', 'last')
  await post(body).expect(200)
  const { body: document } = await service.http().get('/documents/twice').expect(200)
  expect(document.text).toBe('last')
})

test.each([
  ['', 0, 0],
  ['\n\n', 0, 0],
  ['{"text":""}\n{"text":1}\nnonsense\n', 3, 3],
])('%j has no good line: 422 with the summary', async (body, failed, last) => {
  const answer = await fetch(`${service.url}/documents`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
  })
  expect(answer.status).toBe(422)
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  const problem = (await answer.json()) as { errors: { line: number }[] }
  expect(problem).toMatchObject({
    code: 'INVALID_INPUT',
    created: 0,
    updated: 0,
    failed,
    lines: last,
    ids: [],
  })
  expect(problem.errors.map(({ line }) => line)).toEqual(Array.from({ length: failed }, (_, i) => i + 1))
})

test.each([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/jsonlines',
  'application/x-jsonlines',
  'Application/X-JSONLines; charset=UTF-8',
])('%s is a stream of lines', async (type) => {
  const lines = '{"id":"typed","text":"a"}\n\ufeff{"id":"marked","text":"b"}\n'
  const { body } = await service.http().post('/documents').set('content-type', type).send(lines).expect(200)
  expect(body).toMatchObject({ failed: 0, lines: 2, ids: ['typed', 'marked'] })
})

test('a number too large is the fault of its line', async () => {
  const body =
    '{"id":"n-1","text":"x"}\n{"id":"n-2","text":"y","metadata":{"x":1e400}}\n{"id":"n-3","text":"z"}'
  const { body: answer } = await post(body).expect(200)
  expect(answer).toMatchObject({ created: 2, failed: 1, ids: ['n-1', 'n-3'], errors: [{ line: 2 }] })
})

test('a client that goes away leaves whole batches only, in order', async () => {
  const { hostname, port } = new URL(service.url)
  const client = httpRequest({
    hostname,
    port,
    path: '/documents',
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
  })
  client.on('error', () => {})
  const all = Array.from({ length: 50 }, (_, i) => `gone-${String(i).padStart(4, '0')}`)
  client.write(all.map((id) => line(id)).join(''))
  while ((await stored('gone')).length < BATCH) await sleep(5)
  client.destroy()
  await sleep(300)
  const left = await stored('gone')
  expect(left.length % BATCH).toBe(0)
  expect(left).toEqual(all.slice(0, left.length))
  // Its place is free again.
  for (let i = 0; i < 3; i++) await post(line('after')).expect(200)
})

test('a silent client is cut off, and told how far it came', async () => {
  const body = lines('silent', BATCH + 2)
  const head =
    'POST /documents HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n'
  const answer = await raw(service.url, `${head}${body.length.toString(16)}\r\n${body}\r\n`)
  expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  expect(answer).toContain('INGEST_IDLE_MS_MAX')
  expect(answer).toContain(`"committed_lines":${BATCH}`)
  expect(await stored('silent')).toHaveLength(BATCH)
})

test('more ingest requests than allowed are turned away', async () => {
  const { hostname, port } = new URL(service.url)
  const headers = { 'content-type': 'application/x-ndjson' }
  const held = [1, 2].map(() => {
    const client = httpRequest({ hostname, port, path: '/documents', method: 'POST', headers })
    client.on('error', () => {})
    client.write(line('held'))
    return client
  })
  await sleep(100)
  const { body, headers: answered } = await post(line('late')).expect(429)
  expect(body.code).toBe('OVERLOADED')
  expect(answered['retry-after']).toBe('1')
  for (const client of held) client.destroy()
  await sleep(100)
  await post(line('late')).expect(200)
})
