import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { availableParallelism, cpus, setPriority } from 'node:os'
import { text, wholeNumber, withDefault } from '../../src/cli/option.ts'
import { benchCall } from './call.ts'
import { metric, startServer } from './server-process.ts'
import { startProbe } from './stall-probe.ts'

const { given } = benchCall({
  name: 'stall',
  about:
    'The built server (npm run build) under one hostile request after the other: how long /livez takes meanwhile, as a\n' +
    'process that does nothing else sees it; the delay of the event loop; for how much of the time its thread was ready\n' +
    'to run and other threads had the cores. The first row is without any attack.',
  options: {
    model: withDefault(text('NAME|PATH', 'model folder'), 'llara-mini'),
    seconds: withDefault(wholeNumber('N', [1, 600], 'seconds of each'), 3),
    connections: withDefault(wholeNumber('N', [1, 64], 'connections that attack at once'), 1),
    only: withDefault(text('TEXT', 'attacks with this in their names'), ''),
    nice: withDefault(wholeNumber('N', [0, 19], 'niceness of the process that attacks'), 0),
  },
})

const many = <T>(count: number, item: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => item(i))
const fields = (count: number) => Object.fromEntries(many(count, (i) => [`k${i}`, 1]))

interface Attack {
  path: string
  type?: string
  body: Buffer
  /** Bytes that the head promises, where they are not those of the body. */
  declared?: number
}
const json = (path: string, body: unknown): Attack => ({ path, body: Buffer.from(JSON.stringify(body)) })
const ATTACKS: Record<string, () => Attack | undefined> = {
  nothing: () => undefined,
  'a query of 1,000,000 !': () => json('/search', { query: '!'.repeat(1_000_000) }),
  'a document of 1,000,000 !': () =>
    json('/documents', { documents: [{ id: 'a', text: '!'.repeat(1_000_000) }] }),
  'a document of 1,000,000 a': () =>
    json('/documents', { documents: [{ id: 'a', text: 'a'.repeat(1_000_000) }] }),
  'NDJSON, 200,000 lines x': () => ({
    path: '/documents',
    type: 'application/x-ndjson',
    body: Buffer.from('x\n'.repeat(200_000)),
  }),
  'NDJSON, a line of 100,000 fields': () => ({
    path: '/documents',
    type: 'application/x-ndjson',
    body: Buffer.from(JSON.stringify(fields(100_000))),
  }),
  'search, 400,000 unknown fields': () => json('/search', fields(400_000)),
  'search, 60,000 unknown fields': () => json('/search', fields(60_000)),
  'ingest, 400,000 unknown fields': () => json('/documents', fields(400_000)),
  'ingest, metadata of 8 MB': () =>
    json('/documents', { documents: many(120, () => ({ text: 'a', metadata: fields(4000) })) }),
  'delete, 1,000,000 ids': () => json('/documents/delete', { ids: many(1_000_000, () => 'a') }),
  'a body of 9 MB, promised and not sent': () => ({
    path: '/documents',
    body: Buffer.from('{'),
    declared: 9_000_000,
  }),
  'delete, 200,000 ids': () => json('/documents/delete', { ids: many(200_000, () => 'a') }),
  '100,000 tiny documents': () => json('/documents', { documents: many(100_000, () => ({ text: 'a' })) }),
  '$in of 100,000 values': () =>
    json('/search', { query: 'a', filter: { x: { $in: many(100_000, (i) => i) } } }),
  '$and of 60,000 filters': () =>
    json('/search', { query: 'a', filter: { $and: many(60_000, () => ({ x: 1 })) } }),
  '[ 1,000,000 times': () => ({ path: '/search', body: Buffer.alloc(1_000_000, '[') }),
  'token ids for texts': () =>
    json('/v1/embeddings', { model: given.model, input: many(1_500_000, () => 1) }),
}

const agent = new Agent({ keepAlive: true })
const server = await startServer({ MODEL: given.model })
const probe = await startProbe(server.url)
// Who attacks has cores of its own where it matters; here it shares those of the service.
if (given.nice > 0) setPriority(given.nice)
try {
  console.log(`machine: ${cpus()[0]?.model}, ${availableParallelism()} CPUs; Node ${process.versions.node}`)
  console.log(
    '| request | status | requests/s | /livez p50 ms | p99 ms | max ms | loop p99 ms | waits for a core |',
  )
  console.log('|---|---|---|---|---|---|---|---|')
  for (const [name, make] of Object.entries(ATTACKS)) {
    if (name.includes(given.only)) await measure(name, make())
  }
} finally {
  probe.close()
  await server.close()
}

/** The request again and again, and a probe every few milliseconds. */
async function measure(name: string, attack: Attack | undefined): Promise<void> {
  const statuses = new Set<number | string>()
  let requests = 0
  let stop = false
  const attacking = many(given.connections, async () => {
    while (attack && !stop) {
      statuses.add(await send(attack))
      requests++
    }
  })
  await metric(server.url, 'nodejs_eventloop_lag_p99_seconds')
  const [began, waitedBefore] = [performance.now(), waitedMs(server.pid)]
  requests = 0
  const { p50, p99, max } = await probe.ask(given.seconds)
  const ms = performance.now() - began
  const rate = (requests * 1000) / ms
  const waited = (100 * (waitedMs(server.pid) - waitedBefore)) / ms
  stop = true
  await Promise.all(attacking)
  const lag = (await metric(server.url, 'nodejs_eventloop_lag_p99_seconds')) * 1000
  const figures = [rate, p50, p99, max, lag].map((figure) => figure.toFixed(1))
  const cells = [name, [...statuses].join(' '), ...figures, `${waited.toFixed(0)} %`]
  console.log(`| ${cells.join(' | ')} |`)
}

/** How long the HTTP thread was ready to run and had no core, since its start; NaN where the kernel does not say. */
function waitedMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6
  } catch {
    return Number.NaN
  }
}

/** Its status; `closed` where the server ended the connection before all of the body was sent. */
function send({
  path,
  type = 'application/json',
  body,
  declared = body.length,
}: Attack): Promise<number | string> {
  const headers = { 'content-type': type, 'content-length': declared }
  return new Promise((resolve) => {
    const sending = request(`${server.url}${path}`, { agent, method: 'POST', headers }, (answer) => {
      answer.resume().once('close', () => resolve(answer.statusCode ?? 0))
    })
    sending.on('error', () => resolve('closed')).write(body)
    if (declared === body.length) sending.end()
  })
}
