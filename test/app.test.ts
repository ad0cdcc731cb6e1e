import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import request from 'supertest'
import { afterEach, expect, test } from 'vitest'
import { type App, type AppEvents, type AppParts, createApp } from '../src/app.ts'
import { defaultConfig } from '../src/config/read.ts'
import type { Config } from '../src/config/settings.ts'
import type { Encoder } from '../src/encoder/encoder.ts'
import { openOnnxEncoder } from '../src/encoder/onnx/onnx-encoder.ts'
import type { ServiceError } from '../src/errors.ts'
import { tinyModel } from './fixtures/tiny-model.ts'

const folders: string[] = []
const apps: App[] = []
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llara-app-'))
  folders.push(folder)
  return folder
}

async function app(
  settings: Partial<Config> = {},
  events: AppEvents = {},
  parts: AppParts = {},
): Promise<App> {
  const config: Config = {
    ...defaultConfig(),
    port: 0,
    device: 'cpu',
    threads: 1,
    logLevel: 'silent',
    model: await tinyModel(),
    dataDir: dataFolder(),
    ...settings,
  }
  const made = await createApp(config, parts, events)
  apps.push(made)
  return made
}

const documents = [
  { id: 'sky', title: 'Sky', text: 'the sky is blue', metadata: { year: 2021 } },
  { id: 'sea', text: 'the sea is deep' },
]

test('two apps live in one process and know nothing of each other', async () => {
  const [first, second] = [await app(), await app()]
  const [one, two] = [await first.start(), await second.start()]
  await request(one.url).post('/documents').send({ documents }).expect(200)
  const found = await request(one.url).post('/search').send({ query: 'blue sky' }).expect(200)
  expect(found.body.results).toHaveLength(2)
  expect(found.body.results.find(({ id }: { id: string }) => id === 'sky')).toMatchObject(documents[0]!)
  const empty = await request(two.url).post('/search').send({ query: 'blue sky' }).expect(200)
  expect(empty.body.results).toEqual([])
})

test('documents outlive the app; start and close may be called twice', async () => {
  const dataDir = dataFolder()
  const first = await app({ dataDir })
  const [{ url }] = await Promise.all([first.start(), first.start()])
  await request(url).post('/documents').send({ documents }).expect(200)
  await Promise.all([first.close(), first.close()])
  const second = await app({ dataDir })
  const started = await second.start()
  expect((await started.retrieval.index.stats()).documents).toBe(2)
  const { body } = await request(started.url).get('/documents/sky').expect(200)
  expect(body).toEqual(documents[0])
})

test('an index of another model is refused', async () => {
  const dataDir = dataFolder()
  const first = await app({ dataDir })
  await request((await first.start()).url)
    .post('/documents')
    .send({ documents })
    .expect(200)
  await first.close()
  const other = await app({ dataDir, model: await tinyModel('mha-paper', { maxBodyTokens: 16 }) })
  await expect(other.start()).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
})

test('a taken port and a missing model are told before anything is opened', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as { port: number }
  await expect((await app({ port })).start()).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
  taken.close()
  await expect((await app({ model: 'no-such-model' })).start()).rejects.toMatchObject({
    code: 'MODEL_UNUSABLE',
    message: expect.stringContaining('models'),
  })
})

/** What a service answers that is alive and not ready. */
async function expectUnready(url: string): Promise<void> {
  await request(url).get('/livez').expect(200)
  await request(url).get('/metrics').expect(200)
  for (const answer of [
    await request(url).get('/readyz').expect(503),
    await request(url).post('/search').send({ query: 'a' }).expect(503),
  ]) {
    expect(answer.body.code).toBe('UNAVAILABLE')
    expect(answer.headers['retry-after']).toMatch(/^\d+$/)
  }
}

test('while it starts, it is alive and not ready; a stop then ends the start', async () => {
  let loaded: (encoder: Encoder) => void = () => {}
  const encoder = new Promise<Encoder>((resolve) => {
    loaded = resolve
  })
  let listening: (url: string) => void = () => {}
  const url = new Promise<string>((resolve) => {
    listening = resolve
  })
  const onProgress = (line: string) => listening(/http:\S+[^;\s]/.exec(line)?.[0] ?? '')
  const starting = await app({}, { onProgress }, { encoder })
  const started = starting.start()
  const outcome = expect(started).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await expectUnready(await url)
  const closed = starting.close()
  const late = await openOnnxEncoder({ modelFolder: await tinyModel(), device: 'cpu', intraOpThreads: 1 })
  loaded(late)
  await outcome
  await closed
  await late.close()
  expect(starting.state()).toBe('draining')
})

test('while it drains, it refuses what still reaches it', async () => {
  const draining = await app({ drainMsMax: 10_000 })
  const { url } = await draining.start()
  const { hostname, port } = new URL(url)
  // Requests whose heads are not complete yet: their connections outlast the listener.
  const half = ['GET /livez', 'GET /readyz', 'GET /documents'].map((line) => {
    const socket = connect(Number(port), hostname)
    socket.write(`${line} HTTP/1.1\r\nhost: a\r\n`)
    return socket
  })
  await expect.poll(() => openConnections(draining)).toBe(half.length)
  const closed = draining.close()
  const answers = half.map(async (socket) => {
    socket.write('\r\n')
    return (await socket.setEncoding('utf8').toArray()).join('')
  })
  const [livez, ...refused] = await Promise.all(answers)
  expect(livez).toMatch(/^HTTP\/1.1 200 /)
  for (const answer of refused) {
    expect(answer).toMatch(/^HTTP\/1.1 503 /)
    expect(answer).toMatch(/connection: close/i)
    expect(answer).toContain('"code":"UNAVAILABLE"')
  }
  await closed
})

function openConnections({ server }: App): Promise<number> {
  return new Promise((resolve, reject) =>
    server.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
}

test.each([0, 1])('the death of worker %i is told and makes the app unready', async (index) => {
  const workers: Worker[] = []
  const remember = (worker: Worker) => workers.push(worker)
  process.on('worker', remember)
  let tell: (error: ServiceError) => void = () => {}
  const failure = new Promise<ServiceError>((resolve) => {
    tell = resolve
  })
  const lines: string[] = []
  const log = { write: (line: string) => void lines.push(line) }
  const dying = await app({ logLevel: 'fatal' }, { onFailure: tell }, { log })
  const { url } = await dying.start()
  process.off('worker', remember)
  await request(url).get('/readyz').expect(200)
  await workers[index]!.terminate()
  expect(await failure).toMatchObject({ code: 'UNAVAILABLE' })
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { cause: expect.stringContaining('exit code 1') },
  ])
  await expectUnready(url)
})

test('open requests end before the app does', async () => {
  const closing = await app()
  const { url, retrieval } = await closing.start()
  const many = Array.from({ length: 400 }, (_, i) => ({ id: `d${i}`, text: `document number ${i}` }))
  const ingest = request(url)
    .post('/documents')
    .send({ documents: many })
    .then((answer) => answer)
  // The request is in flight once the encoder has its texts.
  await expect
    .poll(async () => (await retrieval.encoder.stats()).waitingTexts.bulk, { interval: 1 })
    .toBeGreaterThan(0)
  await closing.close()
  expect((await ingest).status).toBe(200)
})

test('while a thread with work does not answer the service is not ready, and says so', async () => {
  const lines: string[] = []
  const probes: Promise<number>[] = []
  let ready = false
  const write = (line: string) => {
    lines.push(line)
    if (ready && probes.length === 0 && line.includes('The encoder has not answered')) {
      probes.push(watched.server.inject('/readyz').then(({ statusCode }) => statusCode))
      probes.push(watched.server.inject('/livez').then(({ statusCode }) => statusCode))
    }
  }
  // Each batch of this model holds its thread for longer than that.
  const watched = await app({ watchdogMs: 1, logLevel: 'info' }, {}, { log: { write } })
  const { retrieval } = await watched.start()
  ready = true
  const texts = Array.from({ length: 200 }, (_, i) => `word ${i} `.repeat(300))
  while (probes.length === 0) await retrieval.encoder.encode(texts, ['ebae'])
  expect(await Promise.all(probes)).toEqual([503, 200])
  while (!lines.join('').includes('answers again')) await retrieval.encoder.encode(['a'], ['ebae'])
  expect(await metricOf(watched, 'llara_thread_silent{thread="encoder"}')).toMatch(/^[01]$/)
})

async function metricOf({ server }: App, name: string): Promise<string | undefined> {
  const { payload } = await server.inject('/metrics')
  return payload
    .split('\n')
    .find((line) => line.startsWith(`${name} `))
    ?.slice(name.length + 1)
}
