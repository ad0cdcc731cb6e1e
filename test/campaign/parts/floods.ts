import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../index/random.ts'
import type { Part, Tally } from '../part.ts'
import { processFacts } from '../world/process-facts.ts'
import { head, RawClient } from '../world/raw-client.ts'
import { makeDocument, Service } from '../world/service.ts'

const ATTACKER = 'attacker-0123456789abcdef'
const OTHER = 'other-0123456789abcdefghi'
const RESIDENT_MIB_MAX = 900

/** Starts an attack with the attacker's key; the result ends it. */
type Attack = (url: string, random: Random) => () => void

const JSON_TYPE = { 'content-type': 'application/json' }

/** Many clients of the attacker at once, each begun by `begin`. */
function crowd(count: number, begin: (client: RawClient, i: number) => void): Attack {
  return (url) => {
    const clients = Array.from({ length: count }, (_, i) => {
      const client = new RawClient(url)
      begin(client, i)
      return client
    })
    return () => {
      for (const client of clients) client.end()
    }
  }
}

/** A whole request, sent again and again by many at once. */
function flood(count: number, path: string, body: () => string): Attack {
  return (url) => {
    let stopped = false
    const text = body()
    const headers = { ...JSON_TYPE, authorization: `Bearer ${ATTACKER}` }
    const again = async () => {
      while (!stopped) {
        const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: text }).catch(
          () => undefined,
        )
        await answer?.arrayBuffer().catch(() => undefined)
        if (answer?.status !== 200) await sleep(20)
      }
    }
    for (let i = 0; i < count; i++) void again()
    return () => {
      stopped = true
    }
  }
}

const many = (count: number, item: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => item(i)).join(',')

const ATTACKS: Record<string, Attack> = {
  'searches sent by half': crowd(260, (client) =>
    client.send(`${head('/search', ATTACKER, { ...JSON_TYPE, 'content-length': 500 })}{"query":"`),
  ),
  'heads sent by half': crowd(200, (client) => client.send('POST /search HTTP/1.1\r\nhost: x\r\nauthoriz')),
  'idle connections': crowd(400, () => {}),
  'large bodies withheld': crowd(48, (client) => {
    client.send(head('/documents', ATTACKER, { ...JSON_TYPE, 'content-length': 8 << 20 }))
    client.send(Buffer.alloc((8 << 20) - 10, 0x20))
  }),
  'slow streams': crowd(16, (client) => {
    const type = { 'content-type': 'application/x-ndjson', 'transfer-encoding': 'chunked' }
    client.send(`${head('/documents', ATTACKER, type)}5\r\n{"tex\r\n`)
  }),
  'answers that nobody reads': crowd(60, (client) => {
    client.stopReading()
    const body = '{"query":"text","k":1000}'
    const request = `${head('/search', ATTACKER, { ...JSON_TYPE, 'content-length': body.length })}${body}`
    client.send(request.repeat(20))
  }),
  'many searches': flood(200, '/search', () => '{"query":"words and words","k":50}'),
  'a query of a million marks': flood(4, '/search', () => `{"query":"${'!'.repeat(1_000_000)}"}`),
  'unknown fields': flood(4, '/search', () => `{"query":"a",${many(60_000, (i) => `"x${i}":1`)}}`),
  'ids to delete': flood(4, '/documents/delete', () => `{"ids":[${many(100_000, (i) => `"i${i}"`)}]}`),
  'a deep filter': flood(
    4,
    '/search',
    () => `{"query":"a","filter":${'{"$and":['.repeat(20_000)}${']}'.repeat(20_000)}}`,
  ),
  'lines that are no documents': (url, random) => {
    const body = 'x\n'.repeat(200_000)
    const type = { 'content-type': 'application/x-ndjson', 'content-length': body.length }
    return crowd(4, (client) => client.send(`${head('/documents', ATTACKER, type)}${body}`))(url, random)
  },
  'large documents': flood(
    4,
    '/documents',
    () => `{"documents":[${many(6, () => `{"text":"${'a b '.repeat(240_000)}"}`)}]}`,
  ),
}

/** One client does its worst with one key; another one, with its own, must be served meanwhile: search, ingest, probes. */
export const floods: Part = {
  tries: 'requests of another client during an attack',
  async round({ random, tally, model, scratch, until }) {
    const keys = `write:${ATTACKER},write:${OTHER}`
    const service = await Service.start({ MODEL: model, DATA_DIR: join(scratch, 'data'), API_KEYS: keys })
    await asOther(service, 'POST', '/documents', { documents: stored() })
    for (const [name, attack] of shuffled(Object.entries(ATTACKS), random)) {
      if (performance.now() > until && tally.tries > 0) break
      const end = attack(service.process.url, random)
      await sleep(300)
      await serveOther(service, tally, name)
      service.mustLive()
      end()
      const { residentMib } = processFacts(service.process.child.pid!)
      tally.expect(residentMib <= RESIDENT_MIB_MAX, `${name}: the process holds ${residentMib} MiB`)
    }
    await service.stop()
  },
}

function asOther(service: Service, method: string, path: string, body?: unknown) {
  return service.send(method, path, body, { authorization: `Bearer ${OTHER}` })
}

async function serveOther(service: Service, tally: Tally, attack: string): Promise<void> {
  for (let i = 0; i < 5; i++) {
    for (const probe of ['/livez', '/readyz']) {
      const answer = await asOther(service, 'GET', probe)
      tally.expect(answer?.status === 200, `${attack}: ${probe} answered ${answer?.status}`)
    }
    const search = await asOther(service, 'POST', '/search', { query: 'text 3', k: 5 })
    tally.expect(
      search?.status === 200,
      `${attack}: a search answered ${search?.status} ${search?.body['code']}`,
    )
    const written = await asOther(service, 'POST', '/documents', { documents: [makeDocument(`o-${i}`, i)] })
    tally.expect(
      written?.status === 200,
      `${attack}: a document was answered ${written?.status} ${written?.body['code']}`,
    )
  }
}

function stored() {
  return Array.from({ length: 200 }, (_, i) => makeDocument(`d-${i}`, i))
}

function shuffled<T>(items: T[], random: Random): T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
