import { afterEach, beforeAll, expect, test } from 'vitest'
import { tinyModel } from '../fixtures/tiny-model.ts'
import { launch, type Running, startServer, temporaryFolder } from './built-server.ts'

let model = ''
beforeAll(async () => {
  model = await tinyModel()
})

const running: Running[] = []
afterEach(() => Promise.all(running.splice(0).map((server) => server.kill('SIGKILL'))))

async function start(environment: Record<string, string>): Promise<Running> {
  const server = await startServer({ MODEL: model, ...environment })
  running.push(server)
  return server
}

const post = (url: string, body: unknown, type = 'application/json') =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

test('says what runs, serves, keeps its data to itself, and ends with 0 on SIGTERM', async () => {
  const dataDir = temporaryFolder()
  const server = await start({ DATA_DIR: dataDir })
  for (const part of [
    'model',
    'tiny-mha-paper',
    'dimensions',
    '32',
    'device',
    'cpu: ',
    'documents',
    '0 in',
    '/docs',
  ]) {
    expect(server.output()).toContain(part)
  }
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  expect((await post(`${server.url}/documents`, { documents: [{ id: 'a', text: 'blue' }] })).status).toBe(200)
  const answer = await post(`${server.url}/search`, { query: 'blue' })
  expect(await answer.json()).toMatchObject({ results: [{ id: 'a' }], path: expect.any(String) })
  // A second server on the same data is refused and does no harm.
  const second = launch({ MODEL: model, DATA_DIR: dataDir })
  expect(await second.exit).toMatchObject({ code: 2 })
  expect(second.output()).toContain('Another process')
  expect((await post(`${server.url}/documents`, { documents: [{ text: 'still fine' }] })).status).toBe(200)
  expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(server.output()).toContain('Stopped.')
})

test('SIGTERM lets an open request end, and a second start has its documents', async () => {
  const dataDir = temporaryFolder()
  // The end must come from the request's end, not from this deadline.
  const first = await start({ DATA_DIR: dataDir, DRAIN_MS_MAX: '600000' })
  const documents = Array.from({ length: 600 }, (_, i) => ({ id: `d${i}`, text: `document number ${i}` }))
  const ingest = post(`${first.url}/documents`, { documents })
  await new Promise((resolve) => setTimeout(resolve, 50))
  const exit = first.kill('SIGTERM')
  expect((await ingest).status).toBe(200)
  expect(await exit).toEqual({ code: 0, signal: null })

  const second = await start({ DATA_DIR: dataDir })
  expect(second.output()).toContain('600 in')
  const { results } = (await (await post(`${second.url}/search`, { like: 'd7', k: 3 })).json()) as {
    results: unknown[]
  }
  expect(results).toHaveLength(3)
})

test('a request past DRAIN_MS_MAX does not hold the end up', async () => {
  const server = await start({ DATA_DIR: temporaryFolder(), DRAIN_MS_MAX: '200' })
  const never = new ReadableStream({
    start: (controller) => controller.enqueue(Buffer.from('{"text":"a"}\n')),
  })
  const held = fetch(`${server.url}/documents`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: never,
    duplex: 'half',
  } as RequestInit).catch((error: Error) => error)
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  await held
})

test('kill -9 during ingest loses nothing that was acknowledged', async () => {
  const dataDir = temporaryFolder()
  const acknowledged: string[] = []
  for (let round = 0; round < 3; round++) {
    const server = await start({ DATA_DIR: dataDir, INGEST_BATCH_DOCUMENTS: '16' })
    const lines = Array.from({ length: 5000 }, (_, i) => `{"id":"s${round}-${i}","text":"streamed ${i}"}\n`)
    const stream = post(`${server.url}/documents`, lines.join(''), 'application/x-ndjson').catch(() => {})
    const until = acknowledged.length + 60
    for (let i = 0; acknowledged.length < until; i++) {
      const documents = Array.from({ length: 20 }, (_, j) => ({
        id: `r${round}-${i}-${j}`,
        text: `text ${i} ${j}`,
      }))
      const answer = await post(`${server.url}/documents`, { documents })
      expect(answer.status).toBe(200)
      acknowledged.push(...documents.map(({ id }) => id))
    }
    const last = post(`${server.url}/documents`, { documents: [{ id: `open${round}`, text: 'open' }] }).catch(
      () => {},
    )
    await server.kill('SIGKILL')
    await Promise.all([stream, last])
  }
  const server = await start({ DATA_DIR: dataDir })
  for (const id of acknowledged) expect((await fetch(`${server.url}/documents/${id}`)).status).toBe(200)
  const { results } = (await (
    await post(`${server.url}/search`, { like: acknowledged[0], k: 50 })
  ).json()) as {
    results: { id: string }[]
  }
  expect(results).toHaveLength(50)
})

test('a wide HOST without a key is refused', async () => {
  const server = launch({ MODEL: model, HOST: '0.0.0.0', DATA_DIR: temporaryFolder() })
  expect(await server.exit).toMatchObject({ code: 2 })
  expect(server.output()).toContain('API_KEYS')
})

test('bad settings end with 2 and are told all at once', async () => {
  const server = launch({ PORT: 'x', DEVICE: 'y', K_MAX: 'z' })
  expect(await server.exit).toMatchObject({ code: 2 })
  for (const name of ['PORT', 'DEVICE', 'K_MAX']) expect(server.output()).toContain(`- ${name} must be`)
})

test('a missing model ends with 2 and says how to get one', async () => {
  const server = launch({ MODEL: 'not-there', DATA_DIR: temporaryFolder() })
  expect(await server.exit).toMatchObject({ code: 2 })
  expect(server.output()).toContain('not-there')
  expect(server.output()).toContain('npm run model:export')
})

test('serve --help prints the settings; an unknown argument is refused', async () => {
  const help = launch({}, ['serve', '--help'])
  expect(await help.exit).toMatchObject({ code: 0 })
  for (const name of ['HOST', 'DATA_DIR', 'API_KEYS_FILE', 'BODY_BYTES_MAX'])
    expect(help.output()).toContain(name)
  const odd = launch({}, ['--port=1'])
  expect(await odd.exit).toMatchObject({ code: 2 })
  expect(odd.output()).toContain('--port')
})
