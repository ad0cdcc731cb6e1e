import { COLLECTION_LIMITS } from '../collections/limits.ts'
import { ENCODER_LIMITS } from '../encoder/limits.ts'
import {
  AUTH_LIMITS,
  BACKUP_REQUEST_LIMITS,
  INGEST_REQUEST_LIMITS,
  RATE_LIMITS,
  REQUEST_LIMITS,
} from '../http/limits.ts'
import { INDEX_LIMITS } from '../index/embedded/limits.ts'
import { JOB_LIMITS } from '../jobs/limits.ts'
import { RERANKER_LIMITS } from '../reranker/limits.ts'
import {
  INGEST_LIMITS,
  METADATA_QUERY_LIMITS,
  RERANK_LIMITS,
  SEARCH_LIMITS,
  TEXT_LIMITS,
} from '../retrieval/limits.ts'
import { SHARE_LIMITS } from '../sharing/limits.ts'
import {
  apiKeys,
  apiKeysFile,
  choice,
  fileContent,
  flag,
  fromLimits,
  integer,
  networks,
  origins,
  type Setting,
  text,
} from './setting.ts'

const HOUR_MS = 3_600_000

const SERVER = 'Server'
const ACCESS = 'Access'
const REQUESTS = 'Request limits'
const BACKUP = 'Backup'
const INGEST = 'Ingest'
const JOBS = 'Jobs'
const ENCODER = 'Encoder'
const RERANKER = 'Reranker'
const INDEX = 'Index'

/**
 * Every setting of the service; bounds come from the tables of the parts they belong to. The environment variable is
 * the property's name in capitals with underscores: `bodyBytesMax` is read from BODY_BYTES_MAX. Help,
 * docs/configuration.md and the Config type come from here.
 */
export const SETTINGS = {
  host: text(SERVER, 'address', '127.0.0.1', 'Address to listen on. Wider than loopback needs API_KEYS.'),
  port: integer(SERVER, 'port', 8080, [0, 65_535], 'Port to listen on; 0 takes a free one.'),
  dataDir: text(SERVER, 'path', './data', 'Folder of documents, vectors and index. One process at a time.'),
  backupDir: text(
    SERVER,
    'path',
    '',
    'Folder of backups, of this data folder alone; default `backups` in DATA_DIR. Better on another disk.',
  ),
  model: text(SERVER, 'name | path', 'llara-mini', 'Model folder: a name under models/, or a path.'),
  reranker: text(
    SERVER,
    'name | path',
    '',
    'Model folder of a reranker, which puts first hits in a better order: a name under models/, or a path. Without it there is none.',
  ),
  modelCheck: choice(
    SERVER,
    ['before', 'background', 'off'],
    'before',
    'When the checksums of model files over 64 MiB are compared with the card, in a thread of their own. `before`: the service is not ready until they are known to be right. `background`: it is ready meanwhile and stops where they are not. `off`: sizes only.',
  ),
  device: choice(
    SERVER,
    ['auto', 'cpu', 'cuda'],
    'auto',
    'Where the models run. `auto` takes CUDA where it works and says why; `cuda` fails at start where it does not.',
  ),
  logLevel: choice(
    SERVER,
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    'info',
    'Least severe log line written (JSON, standard error). `debug` adds a line per request.',
  ),
  watchdogMs: integer(
    SERVER,
    'ms',
    120_000,
    [1000, HOUR_MS],
    'Longest silence of a thread that has work; then /readyz is 503 until it answers; that of the reranker alone leaves it 200. More than the slowest batch takes.',
  ),
  drainMsMax: integer(SERVER, 'ms', 15_000, [0, HOUR_MS], 'Longest wait for open requests at shutdown.'),
  closeMsMax: integer(
    SERVER,
    'ms',
    60_000,
    [1000, HOUR_MS],
    'Longest wait for the model and the index to close after that.',
  ),

  apiKeys: apiKeys(
    ACCESS,
    'scope:key,...',
    'Keys sent as `Authorization: Bearer <key>`; scope `read` or `write` (which includes read), for single collections as `read@docs:key` or `write@docs+blog:key`. Without keys the service is open to whoever reaches the port.',
  ),
  apiKeysFile: apiKeysFile(
    ACCESS,
    'File with further keys, read again on SIGHUP: one `scope:key` a line, then `name=ci` for the log and `expires=2026-12-31` (the end of that day in UTC, or a time with its zone) where wanted. Lines that begin with # are comments.',
  ),
  tlsCert: fileContent(
    ACCESS,
    'PEM file with the certificate of this service, and those that vouch for it behind it: with TLS_KEY, the port speaks HTTPS (TLS 1.2 and later) and nothing else. Read again on SIGHUP.',
  ),
  tlsKey: fileContent(ACCESS, "PEM file with the certificate's private key, without a passphrase."),
  allowInsecure: flag(ACCESS, 'Allow a HOST wider than loopback without any key.'),
  corsOrigins: origins(
    ACCESS,
    'Origins whose pages may call the service from a browser, such as `https://app.example.org`; `*` is every page. Keys are sent by the page itself, never by the browser.',
  ),
  trustProxy: networks(
    ACCESS,
    'Reverse proxies whose X-Forwarded-For is believed. Without keys, clients are told apart by address; behind a proxy that is not named here all are one client.',
  ),

  ...fromLimits(ACCESS, AUTH_LIMITS),

  ...fromLimits(REQUESTS, REQUEST_LIMITS),
  ...fromLimits(REQUESTS, SHARE_LIMITS),
  ...fromLimits(REQUESTS, RATE_LIMITS),
  ...fromLimits(REQUESTS, TEXT_LIMITS),
  ...fromLimits(REQUESTS, METADATA_QUERY_LIMITS),
  ...fromLimits(REQUESTS, SEARCH_LIMITS),

  ...fromLimits(BACKUP, BACKUP_REQUEST_LIMITS),

  ...fromLimits(INGEST, INGEST_REQUEST_LIMITS),
  ...fromLimits(INGEST, INGEST_LIMITS),
  chunking: choice(
    INGEST,
    ['whole', 'passages'],
    'whole',
    'What documents of a new collection are found by: one vector of what the model reads of each, or one for each of its passages. A collection that exists keeps its own.',
  ),
  chunkTokens: integer(
    INGEST,
    'tokens',
    0,
    [0, 1_000_000],
    'With CHUNKING=passages: most tokens of a passage, title included. 0: as many as the model reads.',
  ),
  chunkOverlap: integer(
    INGEST,
    'tokens',
    0,
    [0, 500_000],
    'With CHUNKING=passages: tokens that a passage repeats of the one before at most, in whole sentences.',
  ),
  chunkTitle: flag(
    INGEST,
    "With CHUNKING=passages: whether a document's title stands before each passage when it is embedded.",
    true,
  ),

  importDir: text(
    JOBS,
    'path',
    '',
    'Folder of files that jobs may import; nothing outside of it is read. Without it there are no imports.',
  ),
  ...fromLimits(JOBS, JOB_LIMITS),

  threads: integer(
    ENCODER,
    'threads',
    0,
    [0, 1024],
    'CPU threads of a model; 0 takes what the process may use.',
  ),
  threadsSpin: flag(
    ENCODER,
    'Whether these threads wait for work by spinning. It may be a little quicker where the cores have nothing else to do, and costs up to twice the processor time where they have.',
  ),
  cudaDevice: integer(ENCODER, 'number', 0, [0, 63], 'Which CUDA device.'),
  ...fromLimits(ENCODER, ENCODER_LIMITS),

  ...fromLimits(RERANKER, RERANK_LIMITS),
  ...fromLimits(RERANKER, RERANKER_LIMITS),

  ...fromLimits(INDEX, COLLECTION_LIMITS),
  ...fromLimits(INDEX, INDEX_LIMITS),
} as const satisfies Record<string, Setting<unknown>>

export type Config = {
  -readonly [Name in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[Name]['parse']>
}

/** `bodyBytesMax` -> `BODY_BYTES_MAX` */
export function variableName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}
