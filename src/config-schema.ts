import { apiKeys, apiKeysFile, choice, flag, integer, type Setting, text } from './config-setting.ts'

const KIB = 1024
const MIB = 1024 * KIB
const HOUR_MS = 3_600_000

const SERVER = 'Server'
const ACCESS = 'Access'
const LIMITS = 'Request limits'
const INGEST = 'Ingest'
const ENCODER = 'Encoder'

/**
 * Every setting of the service. The environment variable is the property's name in capitals with underscores:
 * `bodyBytesMax` is read from BODY_BYTES_MAX. Help, docs/configuration.md and the Config type come from here.
 */
export const SETTINGS = {
  host: text(SERVER, 'address', '127.0.0.1', 'Address to listen on. Wider than loopback needs API_KEYS.'),
  port: integer(SERVER, 'port', 8080, [0, 65_535], 'Port to listen on; 0 takes a free one.'),
  dataDir: text(SERVER, 'path', './data', 'Folder of documents, vectors and index. One process at a time.'),
  model: text(SERVER, 'name | path', 'llara-mini', 'Model folder: a name under models/, or a path.'),
  device: choice(
    SERVER,
    ['auto', 'cpu', 'cuda'],
    'auto',
    'Where the model runs. `auto` takes CUDA where it works and says why; `cuda` fails at start where it does not.',
  ),
  logLevel: choice(
    SERVER,
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    'info',
    'Least severe log line written (JSON, standard error). `debug` adds a line per request.',
  ),
  drainMsMax: integer(SERVER, 'ms', 15_000, [0, HOUR_MS], 'Longest wait for open requests at shutdown.'),
  closeMsMax: integer(
    SERVER,
    'ms',
    60_000,
    [1000, HOUR_MS],
    'Longest wait for the model and the store to close after that.',
  ),

  apiKeys: apiKeys(
    ACCESS,
    'scope:key,...',
    'Keys sent as `Authorization: Bearer <key>`; scope `read` or `write` (which includes read). None: open to whoever reaches the port.',
  ),
  apiKeysFile: apiKeysFile(ACCESS, 'File with further keys, one `scope:key` a line, for mounted secrets.'),
  allowInsecure: flag(ACCESS, 'Allow a HOST wider than loopback without any key.'),

  requestTimeoutMs: integer(
    LIMITS,
    'ms',
    30_000,
    [100, HOUR_MS],
    'Longest time for one request, ingest apart; then 503.',
  ),
  requestsMax: integer(LIMITS, 'requests', 256, [1, 65_536], 'Requests served at once; more get 429.'),
  bodyBytesMax: integer(
    LIMITS,
    'bytes',
    8 * MIB,
    [KIB, 256 * MIB],
    'Largest JSON body. NDJSON bodies have no limit.',
  ),
  textBytesMax: integer(LIMITS, 'bytes', MIB, [KIB, 64 * MIB], 'Longest single text, in UTF-8.'),
  textsPerRequestMax: integer(LIMITS, 'texts', 1024, [1, 65_536], 'Most texts of one embedding request.'),
  queriesPerRequestMax: integer(LIMITS, 'queries', 64, [1, 4096], 'Most queries of one search request.'),
  kMax: integer(LIMITS, 'results', 1000, [1, 10_000], 'Most results of one search.'),
  efMax: integer(LIMITS, 'candidates', 4000, [1, 100_000], 'Largest `ef` a search may ask for.'),
  pageSizeMax: integer(LIMITS, 'documents', 1000, [1, 10_000], 'Most documents of one listing page.'),
  interactiveTextsMax: integer(
    LIMITS,
    'texts',
    16,
    [1, 1024],
    'Embedding requests with more texts than this take the bulk lane.',
  ),

  documentsPerRequestMax: integer(
    INGEST,
    'documents',
    1000,
    [1, 100_000],
    'Most documents of one JSON request, and ids of one deletion.',
  ),
  metadataBytesMax: integer(
    INGEST,
    'bytes',
    64 * KIB,
    [2, 16 * MIB],
    'Largest metadata of one document, as JSON.',
  ),
  lineBytesMax: integer(
    INGEST,
    'bytes',
    2 * MIB,
    [KIB, 64 * MIB],
    'Longest NDJSON line; a longer one is reported and skipped.',
  ),
  ingestBatchDocuments: integer(
    INGEST,
    'documents',
    256,
    [1, 10_000],
    'Documents encoded together, and committed together in an NDJSON stream.',
  ),
  ingestBatchBytes: integer(
    INGEST,
    'bytes',
    4 * MIB,
    [KIB, 256 * MIB],
    'Bytes that close an NDJSON batch early.',
  ),
  ingestRequestsMax: integer(
    INGEST,
    'requests',
    8,
    [1, 1024],
    'Ingest requests served at once; more get 429.',
  ),
  ingestTimeoutMs: integer(
    INGEST,
    'ms',
    10 * 60_000,
    [1000, 24 * HOUR_MS],
    'Longest time for one JSON ingest request; then 503 and nothing of it is stored.',
  ),
  ingestIdleMsMax: integer(
    INGEST,
    'ms',
    60_000,
    [100, HOUR_MS],
    'Longest silence of a client inside an NDJSON stream.',
  ),

  threads: integer(ENCODER, 'threads', 0, [0, 1024], 'CPU threads of the model; 0 takes one per core.'),
} as const satisfies Record<string, Setting<unknown>>

export type Config = {
  -readonly [Name in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[Name]['parse']>
}
export type SettingName = keyof Config

/** `bodyBytesMax` -> `BODY_BYTES_MAX` */
export function variableName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}
