import type { Random } from '../../index/random.ts'
import { makeDocument } from '../world/service.ts'
import { mutated, oddText } from './mutate.ts'

export interface FuzzRequest {
  method: string
  path: string
  headers: Record<string, string>
  body?: Buffer
}

const FILTER = {
  $and: [{ colour: 'red' }, { $or: [{ version: { $gte: 3 } }, { size: { $in: [1, 2, 3] } }] }],
}

/** A body that is right, for each route that takes one. */
const BODIES: Record<string, (random: Random) => unknown> = {
  '/documents': (random) => ({ documents: [documentLike(random), documentLike(random)], truncate: 'end' }),
  '/documents/query': () => ({
    filter: FILTER,
    limit: 5,
    sort: ['-version', { field: 'size', order: 'asc' }],
    facets: ['colour', 'size'],
    facet_values: 3,
  }),
  '/documents/patch': (random) => ({
    ids: [`f-${random.below(40)}`],
    metadata: { colour: 'red', size: null },
  }),
  '/documents/delete': (random) => ({ ids: [`f-${random.below(40)}`, `f-${random.below(40)}`] }),
  '/search': (random) => {
    const target = random.pick([{ query: 'blue words' }, { queries: ['a', 'b'] }, { like: 'f-1' }])
    return { ...target, k: 3, filter: FILTER, min_score: 0.1, ef: 50, exact: random.next() < 0.5 }
  },
  '/embed': () => ({ texts: ['one', 'two'], task: 'query', encoding: 'float' }),
  '/v1/embeddings': () => ({ input: ['one', 'two'], model: 'x', encoding_format: 'base64' }),
  '/rerank': (random) => ({
    query: 'blue words',
    ...random.pick([{ documents: ['one', { id: 'a', title: null, text: 'two' }] }, { ids: ['f-1', 'f-2'] }]),
    top_n: 1,
    include: ['text'],
  }),
  '/v1/rerank': () => ({ query: 'blue', documents: ['one', { text: 'two' }], return_documents: false }),
}

const HEADERS: readonly Record<string, string>[] = [
  { 'content-type': 'application/json' },
  { 'content-type': 'application/json; charset=utf-8' },
  { 'content-type': 'application/json; charset=latin1' },
  { 'content-type': 'text/plain' },
  { 'content-type': 'application/x-ndjson' },
  { 'content-type': '' },
  { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  { 'content-type': 'application/json', accept: 'text/html', 'x-request-id': '\u0080 odd' },
  { 'content-type': 'application/json', authorization: 'Bearer \u00e9' },
]

/** One request: mostly near what is right, sometimes far from it. */
export function fuzzRequest(random: Random): FuzzRequest {
  const way = random.next()
  if (way < 0.2) return ndjson(random)
  if (way < 0.35) return reading(random)
  if (way < 0.42) return deletion(random)
  const path = random.pick(Object.keys(BODIES))
  const headers = random.next() < 0.8 ? HEADERS[0]! : random.pick(HEADERS)
  const method =
    random.next() < 0.95 ? 'POST' : random.pick(['PUT', 'PATCH', 'GET', 'DELETE', 'OPTIONS', 'PROPFIND'])
  return { method, path, headers, body: mutated(BODIES[path]!(random), random) }
}

function documentLike(random: Random): unknown {
  return makeDocument(`f-${random.below(40)}`, random.below(1000))
}

function ndjson(random: Random): FuzzRequest {
  const lines = Array.from({ length: 1 + random.below(6) }, () => [
    random.next() < 0.5
      ? Buffer.from(JSON.stringify(documentLike(random)))
      : mutated(documentLike(random), random),
    Buffer.from(random.pick(['\n', '\r\n', '\n\n', '\r', '\n\ufeff'])),
  ]).flat()
  const type = random.pick([
    'application/x-ndjson',
    'application/jsonl',
    'application/x-ndjson; charset=utf-16',
  ])
  return { method: 'POST', path: '/documents', headers: { 'content-type': type }, body: Buffer.concat(lines) }
}

/** By a damaged filter, inside one that leaves the documents that nobody touches alone. */
function deletion(random: Random): FuzzRequest {
  const filter = mutated(FILTER, random).toString('latin1')
  const body = Buffer.from(`{"filter":{"$and":[{"version":{"$gte":0}},${filter}]}}`, 'latin1')
  return { method: 'POST', path: '/documents/delete', headers: HEADERS[0]!, body }
}

function reading(random: Random): FuzzRequest {
  const odd = oddText(random)
  const path = random.pick([
    `/documents/${odd}`,
    `/documents?limit=${odd}`,
    `/documents?cursor=${odd}`,
    `/documents?filter=${odd}`,
    `/documents?filter=${encodeURIComponent(mutated(FILTER, random).toString('latin1'))}`,
    `/documents?limit=1&limit=${odd}&${odd}=1`,
    `/${odd}`,
    `/documents/${odd}/${odd}`,
    '/info',
    '/metrics',
    '/openapi.json',
  ])
  return { method: random.pick(['GET', 'GET', 'GET', 'HEAD', 'DELETE']), path, headers: {} }
}
