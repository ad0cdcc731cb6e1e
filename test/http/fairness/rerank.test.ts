import { afterEach, expect, test } from 'vitest'
import { tinyReranker } from '../../fixtures/tiny-reranker.ts'
import { openService, type Service } from '../service.ts'
import { ALICE, BOB, KEYS, until } from './clients.ts'

let service: Service
afterEach(() => service.close())

const LONG = Array.from({ length: 200 }, (_, i) => `${i} the sea is blue and deep `.repeat(8))
const rerank = (key: string, documents: string[]) =>
  service
    .http()
    .post('/rerank')
    .set('authorization', `Bearer ${key}`)
    .send({ query: 'what colour is the sea', documents })

const waiting = async () => {
  const { text } = await service.http().get('/metrics').set('authorization', `Bearer ${BOB}`)
  const lanes = [...text.matchAll(/^llara_reranker_waiting_texts\{lane="\w+"\} (\d+)$/gm)]
  return lanes.reduce((sum, [, count]) => sum + Number(count), 0)
}

test('a few texts of one client do not wait for the many of another', async () => {
  service = await openService({ apiKeys: KEYS, rerankBatchTokensMax: 256 }, undefined, tinyReranker())
  let open = 4
  const many = Array.from({ length: open }, () =>
    rerank(ALICE, LONG)
      .expect(200)
      .then(() => open--),
  )
  await until(async () => (await waiting()) > 0)
  await rerank(BOB, ['the sea is blue']).expect(200)
  expect(open).toBe(4)
  await Promise.all(many)
})

test('texts of a caller that has gone are not scored', async () => {
  service = await openService({ apiKeys: KEYS, rerankBatchTokensMax: 256 }, undefined, tinyReranker())
  const call = rerank(ALICE, LONG)
  const ended = new Promise((resolve) => call.end(resolve))
  await until(async () => (await waiting()) > 0)
  call.abort()
  await until(async () => (await waiting()) === 0)
  const { text } = await service.http().get('/metrics').set('authorization', `Bearer ${BOB}`)
  expect(text).toMatch(/^llara_reranked_texts_total 0$/m)
  expect(text).toMatch(/^llara_rerank_errors_total\{code="ABORTED"\} [12]$/m)
  void ended
})

test('tokens are charged to whoever asks', async () => {
  service = await openService({ apiKeys: KEYS, tokensPerMinute: 50_000 }, undefined, tinyReranker())
  const left = ({ headers }: { headers: Record<string, string> }) =>
    Number(headers['x-ratelimit-remaining-tokens'])
  const first = await rerank(ALICE, LONG.slice(0, 20)).expect(200)
  const { tokens } = first.body.usage
  expect(tokens).toBeGreaterThan(1000)
  expect(left(first)).toBeGreaterThanOrEqual(50_000 - tokens)
  // Some come back while the test runs.
  expect(left(first)).toBeLessThan(50_000 - tokens / 2)
})
