import { apiKeys, apiKeysFile, choice, flag, integer, type Setting, text } from './setting.ts'

const KIB = 1024
const MIB = 1024 * KIB
const HOUR_MS = 3_600_000

const SERVER = 'Server'
const ACCESS = 'Access'
const LIMITS = 'Request limits'
const INGEST = 'Ingest'
const ENCODER = 'Encoder'
const STORE = 'Vector store'

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
  kMax: integer(LIMITS, 'results', 1000, [1, 9999], 'Most results of one search.'),
  efMax: integer(LIMITS, 'candidates', 4000, [1, 10_000], 'Largest `ef` a search may ask for.'),
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

  threads: integer(
    ENCODER,
    'threads',
    0,
    [0, 1024],
    'CPU threads of the model; 0 takes what the process may use.',
  ),
  cudaDevice: integer(ENCODER, 'number', 0, [0, 63], 'Which CUDA device.'),
  batchTokensMax: integer(ENCODER, 'tokens', 8192, [16, 1_048_576], 'Padded tokens of one batch.'),
  bulkBatchMsMax: integer(
    ENCODER,
    'ms',
    100,
    [1, 60_000],
    'Time one bulk batch should take: about the longest a search waits behind bulk work.',
  ),
  queueTextsMax: integer(ENCODER, 'texts', 4096, [1, 1_048_576], 'Texts waiting in one lane; more get 429.'),
  queueTokensMax: integer(
    ENCODER,
    'tokens',
    524_288,
    [16, 67_108_864],
    'Tokens waiting in one lane; more get 429.',
  ),
  queueCharsMax: integer(
    ENCODER,
    'characters',
    32 * MIB,
    [KIB, 1024 * MIB],
    'Characters waiting in one lane; more get 429.',
  ),

  hnswM: integer(STORE, 'links', 16, [2, 100], 'Links per document in the graph: recall against memory.'),
  hnswEfConstruction: integer(
    STORE,
    'candidates',
    200,
    [8, 4000],
    'Breadth of insertion: recall against ingest.',
  ),
  hnswEf: integer(STORE, 'candidates', 100, [1, 10_000], 'Breadth of a search that does not say `ef`.'),
  exactScoringMax: integer(
    STORE,
    'documents',
    10_000,
    [0, 10_000_000],
    'Up to so many matching documents are scored one by one instead of walking the graph.',
  ),
  tombstonePercentMax: integer(
    STORE,
    'percent',
    20,
    [1, 90],
    'Deleted or replaced vectors in the graph, of all in it, that start its rebuild.',
  ),
  snapshotChangesMin: integer(
    STORE,
    'changes',
    10_000,
    [1, 100_000_000],
    'Changes after which the graph is written out (or a fifth of the documents, if that is more).',
  ),
  storeOperationsMax: integer(STORE, 'operations', 1024, [1, 65_536], 'Operations waiting; more get 429.'),
  storeWritesMax: integer(STORE, 'operations', 64, [1, 65_536], 'Of them, writes.'),
  databaseBytesMax: integer(
    STORE,
    'bytes',
    0,
    [0, Number.MAX_SAFE_INTEGER],
    'Largest database file; 0 leaves it to the disk.',
  ),
} as const satisfies Record<string, Setting<unknown>>

export type Config = {
  -readonly [Name in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[Name]['parse']>
}
export type SettingName = keyof Config

/** `bodyBytesMax` -> `BODY_BYTES_MAX` */
export function variableName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}
