import type { Limits, LimitTable } from '../limits.ts'

const KIB = 1024
const MIB = 1024 * KIB
const HOUR_MS = 3_600_000

/** How long keys can be guessed. */
export const AUTH_LIMITS = {
  authFailuresMax: {
    unit: 'requests',
    fallback: 20,
    min: 1,
    max: 100_000,
    doc: 'Wrong keys one address (IPv6: one /64 network) may send a minute; then its requests get 429 for a second, doubled at every further wrong key. Keys that have worked from that address still do.',
  },
  authBlockMsMax: {
    unit: 'ms',
    fallback: 60_000,
    min: 1000,
    max: 24 * HOUR_MS,
    doc: 'Longest such time.',
  },
  authAddressesMax: {
    unit: 'addresses',
    fallback: 10_000,
    min: 1,
    max: 1_000_000,
    doc: 'Addresses remembered for that; the one longest without a request is forgotten first.',
  },
} as const satisfies LimitTable

/** What one request may be and take. */
export const REQUEST_LIMITS = {
  requestTimeoutMs: {
    unit: 'ms',
    fallback: 30_000,
    min: 100,
    max: HOUR_MS,
    doc: 'Longest time for one request, ingest apart; then 503.',
  },
  requestsMax: {
    unit: 'requests',
    fallback: 256,
    min: 1,
    max: 65_536,
    doc: 'Requests served at once; more get 429. A request counts once its body is there.',
  },
  bodyBytesMax: {
    unit: 'bytes',
    fallback: 8 * MIB,
    min: KIB,
    max: 256 * MIB,
    doc: 'Largest JSON body. NDJSON bodies have no limit.',
  },
  queryBodyBytesMax: {
    unit: 'bytes',
    fallback: MIB,
    min: KIB,
    max: 256 * MIB,
    doc: 'Largest JSON body of a search or a deletion, unless BODY_BYTES_MAX is smaller.',
  },
  bodyMemoryBytesMax: {
    unit: 'bytes',
    fallback: 128 * MIB,
    min: KIB,
    max: 64 * 1024 * MIB,
    doc: 'JSON bodies of all requests being received or served, and never less than BODY_BYTES_MAX; more get 429.',
  },
  answerMemoryBytesMax: {
    unit: 'bytes',
    fallback: 128 * MIB,
    min: KIB,
    max: 64 * 1024 * MIB,
    doc: 'Answers of all requests that wait to be read; more get 429.',
  },
  answerVectorNumbersMax: {
    unit: 'numbers',
    fallback: 262_144,
    min: 16_384,
    max: 16_777_216,
    doc: 'Most numbers in the stored vectors of one answer: a search for more gets 413, a page of a listing ends earlier.',
  },
  bodyBytesPerSecondMin: {
    unit: 'bytes/s',
    fallback: 256,
    min: 0,
    max: MIB,
    doc: 'Slowest pace of a body, over each BODY_WINDOW_MS, in NDJSON streams over each INGEST_IDLE_MS_MAX that the service waits for the client; slower ones get 408. 0 allows any.',
  },
  bodyWindowMs: {
    unit: 'ms',
    fallback: 10_000,
    min: 100,
    max: HOUR_MS,
    doc: 'How often the pace of a JSON body is looked at.',
  },
  deletionsMax: {
    unit: 'requests',
    fallback: 32,
    min: 1,
    max: 65_536,
    doc: 'Deletions and metadata patches served at once; more get 429.',
  },
  textsPerRequestMax: {
    unit: 'texts',
    fallback: 1024,
    min: 1,
    max: 65_536,
    doc: 'Most texts of one embedding request.',
  },
  queriesPerRequestMax: {
    unit: 'queries',
    fallback: 64,
    min: 1,
    max: 4096,
    doc: 'Most queries of one search request.',
  },
  kMax: { unit: 'results', fallback: 1000, min: 1, max: 9999, doc: 'Most results of one search.' },
  efMax: {
    unit: 'candidates',
    fallback: 4000,
    min: 1,
    max: 10_000,
    doc: 'Largest `ef` a search may ask for.',
  },
  pageSizeMax: {
    unit: 'documents',
    fallback: 1000,
    min: 1,
    max: 10_000,
    doc: 'Most documents of one listing page.',
  },
} as const satisfies LimitTable

/** What one ingest request may be and take. */
export const INGEST_REQUEST_LIMITS = {
  documentsPerRequestMax: {
    unit: 'documents',
    fallback: 1000,
    min: 1,
    max: 100_000,
    doc: 'Most documents of one JSON request, and ids of one deletion.',
  },
  lineBytesMax: {
    unit: 'bytes',
    fallback: 2 * MIB,
    min: KIB,
    max: 64 * MIB,
    doc: 'Longest NDJSON line; a longer one is reported and skipped.',
  },
  ingestRequestsMax: {
    unit: 'requests',
    fallback: 8,
    min: 1,
    max: 1024,
    doc: 'Ingest requests served at once; more get 429.',
  },
  ingestTimeoutMs: {
    unit: 'ms',
    fallback: 10 * 60_000,
    min: 1000,
    max: 24 * HOUR_MS,
    doc: 'Longest time for one JSON ingest request; then 503 and nothing of it is stored.',
  },
  ingestIdleMsMax: {
    unit: 'ms',
    fallback: 60_000,
    min: 100,
    max: HOUR_MS,
    doc: 'Longest silence of a client inside an NDJSON stream.',
  },
} as const satisfies LimitTable

/** What the making of one backup may take. */
export const BACKUP_REQUEST_LIMITS = {
  backupTimeoutMs: {
    unit: 'ms',
    fallback: HOUR_MS,
    min: 100,
    max: 24 * HOUR_MS,
    doc: 'Longest time for making a backup, or for downloading one; then 503, or the end of the connection.',
  },
} as const satisfies LimitTable

/** What one client may ask for in a minute. */
export const RATE_LIMITS = {
  requestsPerMinute: {
    unit: 'requests',
    fallback: 0,
    min: 0,
    max: 1_000_000_000,
    doc: 'Requests that one client (a key, or an address where there are no keys) may send in a minute; more get 429. 0 is no limit.',
  },
  tokensPerMinute: {
    unit: 'tokens',
    fallback: 0,
    min: 0,
    max: 1_000_000_000,
    doc: 'Tokens that the model reads for one client in a minute, prompts included. What a request costs is known when it has run, so a client may get into debt, which has to come back first; then it gets 429. A stream waits. 0 is no limit.',
  },
} as const satisfies LimitTable

export type AuthLimits = Limits<typeof AUTH_LIMITS>

export type HttpLimits = AuthLimits &
  Limits<typeof REQUEST_LIMITS> &
  Limits<typeof BACKUP_REQUEST_LIMITS> &
  Limits<typeof INGEST_REQUEST_LIMITS> &
  Limits<typeof RATE_LIMITS>

/** How large a body may be, and the setting that says so. */
export interface BodyMax {
  bytes: number
  setting: string
}

/** Of a route that takes texts to work on. */
export function bodyMax({ bodyBytesMax }: Pick<HttpLimits, 'bodyBytesMax'>): BodyMax {
  return { bytes: bodyBytesMax, setting: 'BODY_BYTES_MAX' }
}

/** Of a route that is asked a question: few and short values. */
export function queryBodyMax(limits: Pick<HttpLimits, 'bodyBytesMax' | 'queryBodyBytesMax'>): BodyMax {
  const { queryBodyBytesMax } = limits
  if (limits.bodyBytesMax <= queryBodyBytesMax) return bodyMax(limits)
  return { bytes: queryBodyBytesMax, setting: 'QUERY_BODY_BYTES_MAX' }
}
