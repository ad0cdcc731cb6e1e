import { afterEach, expect, test } from 'vitest'
import { openService, type Service } from '../service.ts'
import { ALICE, BOB, KEYS } from './clients.ts'

let service: Service
afterEach(() => service.close())

const get = (path: string, key: string) => service.http().get(path).set('authorization', `Bearer ${key}`)
const post = (path: string, key: string) => service.http().post(path).set('authorization', `Bearer ${key}`)

test('requests over the limit of a minute are refused, of that key only', async () => {
  service = await openService({ apiKeys: KEYS, requestsPerMinute: 1 })
  const first = await get('/info', ALICE).expect(200)
  expect(first.headers).toMatchObject({
    'ratelimit-limit': '1',
    'ratelimit-remaining': '0',
    'ratelimit-reset': expect.stringMatching(/^\d+$/),
    'x-ratelimit-limit-requests': '1',
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': expect.stringMatching(/^\d+s$/),
  })
  const { body, headers } = await post('/search', ALICE).send({ query: 'q' }).expect(429)
  expect(body).toMatchObject({ code: 'RATE_LIMITED', details: { limit: 1, setting: 'REQUESTS_PER_MINUTE' } })
  expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1)
  expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60)
  expect(headers).toMatchObject({ 'ratelimit-remaining': '0', 'x-ratelimit-remaining-requests': '0' })
  // A faulty request is one, too.
  await post('/search', BOB).send({ faulty: true }).expect(422)
  await get('/unknown', BOB).expect(429)
  // Watching the service and reading its documentation is free.
  for (const path of ['/livez', '/readyz', '/metrics', '/openapi.yaml']) {
    const free = await get(path, ALICE).expect(200)
    expect(free.headers).not.toHaveProperty('ratelimit-limit')
  }
})

test('without limits there are no headers', async () => {
  service = await openService({ apiKeys: KEYS })
  const { headers } = await get('/info', ALICE).expect(200)
  expect(Object.keys(headers).filter((name) => name.includes('ratelimit'))).toEqual([])
})

const LIMIT = 3000
const left = ({ headers }: { headers: Record<string, string> }) =>
  Number(headers['x-ratelimit-remaining-tokens'])

test('every route is charged for the tokens that the model read', async () => {
  service = await openService({ apiKeys: KEYS, tokensPerMinute: LIMIT, requestsPerMinute: 1000 })
  let spent = 0
  const run = async (
    answer: { status: number; headers: Record<string, string>; body: object },
    tokens: number,
  ) => {
    expect(answer.status).toBe(200)
    expect(tokens).toBeGreaterThan(0)
    spent += tokens
    // Some come back while the test runs.
    expect(left(answer)).toBeGreaterThanOrEqual(LIMIT - spent)
    expect(left(answer)).toBeLessThan(LIMIT)
    return answer
  }
  const text = 'the sky is blue and the sea is deep '.repeat(8)
  const modelTokens = async () => (await service.encoder.stats()).tokens
  const texts = [text, text]
  const embedded = await post('/embed', ALICE).send({ texts, prompt: 'both' })
  await run(embedded, embedded.body.usage.tokens)
  const openai = await post('/v1/embeddings', ALICE).send({
    input: texts,
    model: `${service.encoder.card.id}:query`,
  })
  await run(openai, openai.body.usage.total_tokens)
  const stored = await post('/documents', ALICE).send({ documents: [{ id: 'a', text }] })
  await run(stored, stored.body.tokens)
  const lines = `${JSON.stringify({ text })}\n`.repeat(3)
  const stream = await post('/documents', ALICE).set('content-type', 'application/x-ndjson').send(lines)
  await run(stream, stream.body.tokens)
  const tokens = await modelTokens()
  const found = await post('/search', ALICE).send({ query: text })
  await run(found, (await modelTokens()) - tokens)
  expect(left(await get('/info', BOB))).toBe(LIMIT)
})

test('a debt of tokens refuses the next request, but not the request that made it', async () => {
  service = await openService({ apiKeys: KEYS, tokensPerMinute: 50 })
  const texts = Array.from({ length: 10 }, () => 'the sky is blue '.repeat(10))
  await post('/embed', ALICE).send({ texts, prompt: 'ebae' }).expect(200)
  const { body, headers } = await post('/search', ALICE).send({ query: 'q' }).expect(429)
  expect(body).toMatchObject({ code: 'RATE_LIMITED', details: { limit: 50, setting: 'TOKENS_PER_MINUTE' } })
  expect(Number(headers['retry-after'])).toBeGreaterThan(60)
  await post('/documents', ALICE)
    .set('content-type', 'application/x-ndjson')
    .send('{"text":"x"}\n')
    .expect(429)
  await post('/search', BOB).send({ query: 'q' }).expect(200)
})

test('a stream waits for tokens and loses nothing', async () => {
  // Enough for all but the last batches.
  service = await openService({ apiKeys: KEYS, tokensPerMinute: 30_000, ingestBatchDocuments: 1 })
  const text = 'the sky is blue and the sea is deep '.repeat(20)
  const lines = Array.from({ length: 122 }, (_, i) => `${JSON.stringify({ id: `${i}`, text })}\n`).join('')
  const { body } = await post('/documents', ALICE)
    .set('content-type', 'application/x-ndjson')
    .send(lines)
    .expect(200)
  expect(body).toMatchObject({ created: 122, failed: 0 })
  expect(body.tokens).toBeGreaterThan(30_000)
})
