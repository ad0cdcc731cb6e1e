import { setTimeout as sleep } from 'node:timers/promises'
import { text, wholeNumber, withDefault } from '../../src/cli/option.ts'
import { benchCall } from './call.ts'
import { quantile } from './sample-texts.ts'
import { metric, startServer } from './server-process.ts'

const { given } = benchCall({
  name: 'stall',
  about:
    'The built server (npm run build) under one hostile request after the other: how long a probe of /livez takes\n' +
    'meanwhile, and the delay of the event loop. The first row is without any.',
  options: {
    model: withDefault(text('NAME|PATH', 'model folder'), 'llara-mini'),
    seconds: withDefault(wholeNumber('N', [1, 600], 'seconds of each'), 3),
  },
})

const many = <T>(count: number, item: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => item(i))
const fields = (count: number) => Object.fromEntries(many(count, (i) => [`k${i}`, 1]))

interface Attack {
  path: string
  type?: string
  body: string
}
const json = (path: string, body: unknown): Attack => ({ path, body: JSON.stringify(body) })
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
    body: 'x\n'.repeat(200_000),
  }),
  'NDJSON, a line of 100,000 fields': () => ({
    path: '/documents',
    type: 'application/x-ndjson',
    body: JSON.stringify(fields(100_000)),
  }),
  'search, 400,000 unknown fields': () => json('/search', fields(400_000)),
  'search, 60,000 unknown fields': () => json('/search', fields(60_000)),
  'ingest, 400,000 unknown fields': () => json('/documents', fields(400_000)),
  'ingest, metadata of 8 MB': () =>
    json('/documents', { documents: many(120, () => ({ text: 'a', metadata: fields(4000) })) }),
  'delete, 1,000,000 ids': () => json('/documents/delete', { ids: many(1_000_000, () => 'a') }),
  'delete, 200,000 ids': () => json('/documents/delete', { ids: many(200_000, () => 'a') }),
  '100,000 tiny documents': () => json('/documents', { documents: many(100_000, () => ({ text: 'a' })) }),
  '$in of 100,000 values': () =>
    json('/search', { query: 'a', filter: { x: { $in: many(100_000, (i) => i) } } }),
  '$and of 60,000 filters': () =>
    json('/search', { query: 'a', filter: { $and: many(60_000, () => ({ x: 1 })) } }),
  '[ 1,000,000 times': () => ({ path: '/search', body: '['.repeat(1_000_000) }),
  'token ids for texts': () =>
    json('/v1/embeddings', { model: given.model, input: many(1_500_000, () => 1) }),
}

const server = await startServer({ MODEL: given.model })
try {
  console.log('| request | status | requests | /livez p50 ms | p99 ms | max ms | loop p99 ms |')
  console.log('|---|---|---|---|---|---|---|')
  for (const [name, make] of Object.entries(ATTACKS)) await measure(name, make())
} finally {
  await server.close()
}

/** The request again and again, and a probe every few milliseconds. */
async function measure(name: string, attack: Attack | undefined): Promise<void> {
  const statuses = new Set<number | string>()
  let requests = 0
  let stop = false
  const attacking = (async () => {
    while (attack && !stop) {
      statuses.add(await send(attack))
      requests++
    }
  })()
  await metric(server.url, 'nodejs_eventloop_lag_p99_seconds')
  const times: number[] = []
  for (const end = performance.now() + given.seconds * 1000; performance.now() < end; await sleep(5)) {
    const started = performance.now()
    await (await fetch(`${server.url}/livez`)).arrayBuffer()
    times.push(performance.now() - started)
  }
  stop = true
  await attacking
  const lag = (await metric(server.url, 'nodejs_eventloop_lag_p99_seconds')) * 1000
  const figures = [quantile(times, 0.5), quantile(times, 0.99), Math.max(...times), lag]
  const cells = [name, [...statuses].join(' '), requests, ...figures.map((ms) => ms.toFixed(1))]
  console.log(`| ${cells.join(' | ')} |`)
}

/** Its status; `closed` where the server ended the connection before all of the body was sent. */
async function send({ path, type = 'application/json', body }: Attack): Promise<number | string> {
  try {
    const answer = await fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    })
    await answer.arrayBuffer()
    return answer.status
  } catch {
    return 'closed'
  }
}
