import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify'
import type { Collections } from '../collections/collections.ts'
import type { CollectionLimits } from '../collections/limits.ts'
import type { Backups } from '../index/backups.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { MetadataQueryLimits, RerankLimits, RetrievalLimits } from '../retrieval/limits.ts'
import type { Retrieval } from '../retrieval/retrieval.ts'
import type { ShareLimits } from '../sharing/limits.ts'
import type { Scope } from './api-key.ts'
import type { KeyRing } from './guards/key-ring.ts'
import type { Places } from './guards/places.ts'
import type { HttpLimits } from './limits.ts'
import type { TlsServers } from './tls.ts'

/** Where the process stands in its life. Only `ready` serves. */
export type State = 'starting' | 'ready' | 'draining' | 'failed'

/** The metrics the HTTP face feeds and shows. */
export interface HttpMetrics {
  readonly contentType: string
  observeRequest(method: string, route: string, status: number, seconds: number): void
  observeSearch(mode: string, seconds: number): void
  /** @param outcome `applied`, or why the hits of a search kept their order */
  countSearchRerank(outcome: string): void
  /** Prometheus text. */
  text(): Promise<string>
}

/** The settings that the HTTP face reads. */
export type HttpConfig = HttpLimits &
  Pick<CollectionLimits, 'copyDocumentsMax'> &
  ShareLimits &
  MetadataQueryLimits &
  RerankLimits &
  Pick<RetrievalLimits, 'textBytesMax' | 'queryBytesMax'> & {
    /** Addresses and networks of proxies that may say whom they speak for. */
    trustProxy: readonly string[]
    /** Origins whose pages may call the service from a browser; `*` for all. */
    corsOrigins: readonly string[]
  }

/** What the HTTP face is given. It opens nothing and closes nothing of it. */
export interface HttpParts {
  config: HttpConfig
  version: string
  keys: KeyRing
  /** Without it the port speaks plain HTTP. */
  tls: TlsServers | undefined
  metrics: HttpMetrics
  state(): State
  /** @throws ServiceError why nothing can be stored, or which thread does not answer, although the service runs */
  checkParts(): void
  /** Threads that do not answer and that the service does without: `reranker`. */
  missingThreads(): string[]
  /** @throws ServiceError UNAVAILABLE unless ready, NOT_FOUND where the index makes none of its own */
  backups(): Backups
  /** @throws ServiceError UNAVAILABLE unless ready */
  collections(): Collections
  /** @throws ServiceError UNAVAILABLE unless ready */
  jobs(): Jobs
}

/** What every route is given. */
export interface HttpContext extends HttpParts {
  /**
   * What a request works on: the collection that its path names, or the default one. It stays open until the request
   * has been answered.
   * @throws ServiceError UNAVAILABLE unless ready, NOT_FOUND where there is no such collection
   */
  retrieval(request: FastifyRequest): Promise<Retrieval>
  /** For what many may not do at once. They are the same for every way to a route. */
  places: { ingest: Places; deletions: Places }
}

export type Server = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** Who may call a route. `public` is for probes only. */
export type Access = Scope | 'public'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Default `write`: a route that says nothing is closed to readers. */
    access?: Access
    /**
     * What it touches: the collection that its path names (the default one where it names none), nothing of any
     * (`none`), or, unless it says so, the whole service.
     */
    reach?: 'collection' | 'none'
    /** Also accept the key as a Basic password, so that a browser can ask for it. GET only. */
    browser?: boolean
    /** Served in every state and never counted: probes must answer when all else is full. */
    always?: boolean
    /** Every answer is written to the log with the key's name: administration. Deletions are anyway. */
    audit?: boolean
    /** The handler keeps its own deadline; REQUEST_TIMEOUT_MS does not apply. */
    ownDeadline?: boolean
    /** With that: longest time for its answer to be read, in ms. Default REQUEST_TIMEOUT_MS. */
    answerMsMax?: number
  }
}
