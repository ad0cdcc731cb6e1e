import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type App, createApp } from '../../../../src/app.ts'
import { defaultConfig } from '../../../../src/config/read.ts'
import { openOnnxEncoder } from '../../../../src/encoder/onnx/onnx-encoder.ts'
import { startEmbeddedEngine } from '../../../../src/index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION } from '../../../../src/index/index-engine.ts'
import { reportPrompts } from '../../../../src/tools/evaluate/figures/compare-prompts.ts'
import { judgeSearch } from '../../../../src/tools/evaluate/figures/judge-search.ts'
import { sampleTexts } from '../../../../src/tools/evaluate/judged-set/text-sample.ts'
import { localSystem } from '../../../../src/tools/evaluate/systems/local-system.ts'
import { serviceSystem } from '../../../../src/tools/evaluate/systems/service-system.ts'
import { removeSet, tagFor } from '../../../../src/tools/evaluate/systems/stored-set.ts'
import { ServiceClient } from '../../../../src/tools/service-client.ts'
import { tinyModel } from '../../../fixtures/tiny-model.ts'
import { judgedSet } from '../small-set.ts'

const KEY = 'write:secret-of-the-test'
const ADVICE = 'Pass a key with --api-key-file.'
const WORDS = ['river', 'engine', 'violin', 'harvest', 'planet', 'bridge', 'copper', 'winter', 'garden']

/** Enough documents for several requests, with titles, over-long texts and refused ids among them. */
const documents = Array.from({ length: 700 }, (_, i) => {
  const words = [i, i * 7, i * 31, i * 57].map((n) => WORDS[(n + (i >> 3)) % WORDS.length])
  return {
    id: i === 650 ? 'bad\nid' : `d${i}`,
    title: i % 5 === 0 ? `about ${words[1]}` : null,
    text: i === 9 ? 'engine '.repeat(900) : `${words.join(' and ')} number ${i}`,
  }
})
const set = judgedSet(
  Object.fromEntries(
    WORDS.map((word, i) => [
      `q${i}`,
      { text: `${word} of number ${i * 40}`, grades: { [`d${i * 40}`]: 2, [`d${i * 41 + 1}`]: 1, gone: 1 } },
    ]),
  ),
  documents,
)

let dataDir: string
let app: App
let client: ServiceClient
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'evaluate-service-'))
  app = await createApp({
    ...defaultConfig(),
    model: await tinyModel(),
    device: 'cpu',
    threads: 1,
    port: 0,
    dataDir: join(dataDir, 'service'),
    exactScoringMax: 0,
    logLevel: 'silent',
    apiKeys: [{ scope: 'write', key: KEY }],
  })
  client = new ServiceClient((await app.start()).url, { key: KEY, keyAdvice: ADVICE })
})
afterAll(async () => {
  await app.close()
  await rm(dataDir, { recursive: true })
})
// One service for all tests, empty before each.
afterEach(async () => {
  const body = JSON.stringify({ filter: { $not: { 'no such field': { $exists: true } } } })
  await client.send({ method: 'POST', path: '/documents/delete', body })
  expect(await documentsThere()).toBe(0)
})

const documentsThere = async () =>
  (await client.send<{ store: { documents: number } }>({ method: 'GET', path: '/info' })).store.documents

const put = (body: object) =>
  client.send({ method: 'POST', path: '/documents', body: JSON.stringify({ documents: [body] }) })

test('a running service gets the figures of the same parts in this process, and its documents back', async () => {
  const tag = tagFor({ plainIds: false })
  const system = await serviceSystem(client, tag, { useExisting: false })
  const served = await judgeSearch(system, set, { ef: 20 })
  const sample = await sampleTexts(set, { documentsMax: 60 })
  const servedPrompts = await reportPrompts(system, sample)

  const encoder = await openOnnxEncoder({ modelFolder: await tinyModel(), device: 'cpu', intraOpThreads: 1 })
  const { dimensions, fingerprint } = encoder.card
  const limits = { exactScoringMax: 0 }
  const engine = await startEmbeddedEngine({ dataDir: join(dataDir, 'here'), limits })
  const index = await engine.open(DEFAULT_COLLECTION, { dimensions, fingerprint })
  const local = localSystem({ encoder, index, limits: defaultConfig() })
  const here = await judgeSearch(local, set, { ef: 20 })
  const herePrompts = await reportPrompts(local, sample)
  await engine.close()
  await encoder.close()

  const { latency_ms, seconds, ...figures } = served
  const { latency_ms: latencyHere, seconds: secondsHere, ...figuresHere } = here
  expect(figures).toEqual(figuresHere)
  expect(figures.paths).toEqual(['hnsw'])
  expect(figures.corpus).toMatchObject({ documents: 699, truncatedDocuments: 1, refusedDocuments: 1 })
  expect(figures.corpus?.firstRefusal).toContain('corpus.jsonl:651: ')
  expect(figures.exact['recall@1000']).toBeGreaterThan(0)
  expect(servedPrompts['ndcg@10'].right).toBeCloseTo(herePrompts['ndcg@10'].right, 6)
  expect(servedPrompts).toMatchObject({ whole_set: false, queries: 9 })

  await put({ id: 'mine', text: 'added meanwhile' })
  expect(await removeSet(client, set, tag)).toBe(699)
  expect(await documentsThere()).toBe(1)
})

test('a service that holds documents is left alone, unless the set is what it holds', async () => {
  await put({ id: 'd40', text: 'mine' })
  const open = (useExisting: boolean) => serviceSystem(client, tagFor({ plainIds: true }), { useExisting })
  await expect(open(false)).rejects.toMatchObject({
    code: 'INVALID_USAGE',
    message: expect.stringMatching(/holds 1 documents.*nothing was changed.*--use-existing/s),
  })
  const figures = await judgeSearch(await open(true), set, { useExisting: true })
  expect(figures.corpus).toBeNull()
  expect(figures.exact['recall@1000']).toBeCloseTo(1 / 3 / 9, 9)
  expect(await documentsThere()).toBe(1)
})

test('documents that stay keep the ids of the set', async () => {
  const system = await serviceSystem(client, tagFor({ plainIds: true }), { useExisting: false })
  const stored = await judgeSearch(system, set)
  const existing = await serviceSystem(client, tagFor({ plainIds: true }), { useExisting: true })
  const asked = await judgeSearch(existing, set, { useExisting: true })
  expect(asked.hnsw).toEqual(stored.hnsw)
})

test('says what is wrong with the address or the key', async () => {
  for (const url of ['localhost:8080', 'ftp://x', 'http://user:word@x', '']) {
    expect(() => new ServiceClient(url, { keyAdvice: ADVICE })).toThrow(/--url.* must be like http/)
  }
  const get = { method: 'GET', path: '/info' } as const
  await expect(new ServiceClient(client.url, { keyAdvice: ADVICE }).send(get)).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
    message: expect.stringContaining(ADVICE),
  })
  await expect(
    new ServiceClient('http://127.0.0.1:1', { keyAdvice: ADVICE }).send(get),
  ).rejects.toMatchObject({
    code: 'SERVICE_UNREACHABLE',
    message: expect.stringContaining('Nothing answers at http://127.0.0.1:1 (ECONNREFUSED)'),
  })
  await expect(client.send({ ...get, path: '/livez', signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'STOPPED',
  })
})
