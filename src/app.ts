import {
  openCollections,
  openEncoder,
  openEngine,
  openReranker,
  openServiceJobs,
  type Setting,
} from './app/open-parts.ts'
import { causeText } from './cause.ts'
import type { Collections } from './collections/collections.ts'
import { defaultConfig } from './config/read.ts'
import type { Config } from './config/settings.ts'
import { withDeadline } from './deadline.ts'
import type { Encoder } from './encoder/encoder.ts'
import { ServiceError, toServiceError } from './errors.ts'
import { KeyRing } from './http/guards/key-ring.ts'
import { checkState } from './http/guards/request-gate.ts'
import type { State } from './http/http-context.ts'
import { buildServer } from './http/server.ts'
import { type Certificate, TlsServers } from './http/tls.ts'
import type { Backups } from './index/backups.ts'
import type { IndexEngine } from './index/index-engine.ts'
import type { Jobs } from './jobs/jobs.ts'
import { modelFolder } from './model/find-model.ts'
import type { Reranker } from './reranker/reranker.ts'
import type { Retrieval } from './retrieval/retrieval.ts'
import { loggerOptions } from './telemetry/logger.ts'
import { Metrics } from './telemetry/metrics.ts'
import { Troubles } from './telemetry/troubles.ts'
import { VERSION } from './version.ts'

/** Parts to take instead of opening them from the configuration. Whoever gives one closes it. */
export interface AppParts {
  encoder?: Encoder | Promise<Encoder>
  engine?: IndexEngine
  /** Puts the first hits of a search in a better order; none without it. */
  reranker?: Reranker | Promise<Reranker>
  /** Where log lines go instead of standard error. */
  log?: { write(line: string): void }
}

export interface AppEvents {
  /** Called with a line for people whenever a step of the start begins or something is worth knowing. */
  onProgress?: (line: string) => void
  /** Called once when a part dies: the app no longer serves and should be closed. */
  onFailure?: (error: ServiceError) => void
}

/** What is running, for people. */
export interface Started {
  url: string
  retrieval: Retrieval
}

export type App = Awaited<ReturnType<typeof createApp>>

/**
 * The service, put together and not yet started. Nothing is global: several may live in one process.
 * `start` listens first, so that probes are answered, then opens the parts in order; `close` undoes it in reverse.
 */
export async function createApp(
  config: Config,
  parts: AppParts = {},
  { onProgress, onFailure }: AppEvents = {},
) {
  const metrics = new Metrics()
  const keys = new KeyRing(config.apiKeys)
  const tls = config.tlsCert === '' ? undefined : new TlsServers(certificateOf(config))
  const closers: (() => Promise<void>)[] = []
  const troubles = new Troubles()
  let collections: Collections | undefined
  let backups: Backups | undefined
  let jobs: Jobs | undefined
  let state: State = 'starting'
  let starting: Promise<Started> | undefined
  let closing: Promise<void> | undefined

  const server = await buildServer(
    {
      config,
      version: VERSION,
      keys,
      tls,
      metrics,
      state: () => state,
      checkParts: () => troubles.check(),
      missingThreads: () => troubles.missingThreads,
      backups() {
        checkState(state)
        if (backups) return backups
        throw new ServiceError('NOT_FOUND', 'The index in use makes no backups of its own.')
      },
      collections() {
        checkState(state)
        return collections!
      },
      jobs() {
        checkState(state)
        return jobs!
      },
    },
    { ...loggerOptions(config.logLevel), ...(parts.log && { stream: parts.log }) },
  )
  const logFatal = ({ code, cause, message }: ServiceError) =>
    server.log.fatal({ code, ...(cause !== undefined && { cause: causeText(cause) }) }, message)
  const fail = (error: ServiceError) => {
    if (state === 'draining' || state === 'failed') return
    state = 'failed'
    logFatal(error)
    onFailure?.(error)
  }
  const stillWanted = () => {
    if (closing) throw new ServiceError('UNAVAILABLE', 'The service was stopped while it started.')
  }

  const setting: Setting = {
    config,
    log: server.log,
    metrics,
    troubles,
    closers,
    progress(line) {
      if (state === 'starting') onProgress?.(line)
    },
    fail,
  }

  async function open(): Promise<Started> {
    const folder = parts.encoder ? undefined : modelFolder(config.model)
    const url = await server.listen({ host: config.host, port: config.port }).catch((cause) => {
      const address = `${config.host}:${config.port}`
      throw new ServiceError('INVALID_CONFIG', `Cannot listen on ${address}: ${cause.message}`, {}, cause)
    })
    onProgress?.(`Listening on ${url}${folder === undefined ? '' : `; loading the model from ${folder}`}`)
    const encoder = await (folder === undefined ? parts.encoder! : openEncoder(setting, folder))
    encoder.onDeath(fail)
    stillWanted()
    const engine = parts.engine ?? (await openEngine(setting))
    stillWanted()
    const reranker = await (parts.reranker ?? openReranker(setting))
    // Searches do without it.
    reranker?.onDeath((error) => troubles.set(server.log, { thread: 'reranker' }, error, '', true))
    stillWanted()
    collections = await openCollections(setting, encoder, engine, reranker)
    stillWanted()
    jobs = await openServiceJobs(setting, collections, engine)
    stillWanted()
    backups = engine.backups
    state = 'ready'
    jobs.start()
    return { url, retrieval: collections.default }
  }

  /** A start that was stopped is no accident. */
  function refuse(thrown: unknown): never {
    const error = toServiceError(thrown)
    if (!closing) logFatal(error)
    throw error
  }

  async function shutDown(): Promise<void> {
    if (state !== 'failed') state = 'draining'
    const drained = Promise.all([server.close(), jobs?.stop(config.drainMsMax)])
    await withDeadline(drained, config.drainMsMax, () => server.server.closeAllConnections())
    await starting?.catch(() => {})
    const closeParts = async () => {
      for (const close of closers.reverse()) await close()
    }
    await withDeadline(closeParts(), config.closeMsMax, () => {
      throw new ServiceError('INTERNAL', `Closing took longer than ${config.closeMsMax} ms (CLOSE_MS_MAX).`)
    })
  }

  return {
    server,
    state: () => state,
    /** Puts what may change while the service runs in force. @returns names of the keys that came and went */
    reload(fresh: Pick<Config, 'apiKeys' | 'tlsCert' | 'tlsKey'>) {
      tls?.renew(certificateOf(fresh))
      return keys.replace(fresh.apiKeys)
    },
    /** Resolves when requests are served. @throws ServiceError what stands in the way; then call `close` */
    start: () => (starting ??= open().catch(refuse)),
    /** Stops accepting, lets open requests end (DRAIN_MS_MAX), closes every part it opened. Idempotent. */
    close: () => (closing ??= shutDown()),
  }
}

function certificateOf({ tlsCert: cert, tlsKey: key }: Pick<Config, 'tlsCert' | 'tlsKey'>): Certificate {
  return { cert, key }
}

/** openapi.yaml, as the routes have it with default settings. */
export async function contract(): Promise<string> {
  const { server } = await createApp({ ...defaultConfig(), logLevel: 'silent' })
  await server.ready()
  return server.swagger({ yaml: true })
}
