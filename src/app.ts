import { readFileSync } from 'node:fs'
import { defaultConfig } from './config/read.ts'
import type { Config } from './config/settings.ts'
import { openOnnxEncoder } from './encoder/onnx/onnx-encoder.ts'
import { ServiceError } from './errors.ts'
import { checkState } from './http/guards/request-gate.ts'
import type { State } from './http/http-context.ts'
import { buildServer } from './http/server.ts'
import { openEmbeddedStore } from './index/embedded/embedded-index.ts'
import { modelFolder } from './model/find-model.ts'
import type { Retrieval } from './retrieval/retrieval.ts'
import { loggerOptions } from './telemetry/logger.ts'
import { measuredEncoder } from './telemetry/measured-encoder.ts'
import { measuredStore } from './telemetry/measured-index.ts'
import { Metrics } from './telemetry/metrics.ts'
import { within } from './within.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

export { version }

export interface AppOptions {
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
export async function createApp(config: Config, { onProgress, onFailure }: AppOptions = {}) {
  const metrics = new Metrics()
  const closers: (() => Promise<void>)[] = []
  let state: State = 'starting'
  let retrieval: Retrieval | undefined
  let starting: Promise<Started> | undefined
  let closing: Promise<void> | undefined

  const server = await buildServer(
    {
      config,
      version,
      metrics,
      state: () => state,
      retrieval() {
        checkState(state)
        return retrieval!
      },
    },
    loggerOptions(config.logLevel),
  )
  const fail = (error: ServiceError) => {
    if (state === 'draining' || state === 'failed') return
    state = 'failed'
    server.log.fatal({ code: error.code, cause: error.cause }, error.message)
    onFailure?.(error)
  }
  const stillWanted = () => {
    if (closing) throw new ServiceError('UNAVAILABLE', 'The service was stopped while it started.')
  }

  async function open(): Promise<Started> {
    const folder = modelFolder(config.model)
    const url = await server.listen({ host: config.host, port: config.port }).catch((cause) => {
      const address = `${config.host}:${config.port}`
      throw new ServiceError('INVALID_CONFIG', `Cannot listen on ${address}: ${cause.message}`, {}, cause)
    })
    onProgress?.(`Listening on ${url}; loading the model from ${folder}`)
    const encoder = await openOnnxEncoder({
      modelFolder: folder,
      device: config.device,
      deviceId: config.cudaDevice,
      ...(config.threads > 0 && { intraOpThreads: config.threads }),
      limits: {
        // A document is embedded as title and text.
        textCharsMax: 2 * config.textBytesMax + 1,
        batchTokensMax: config.batchTokensMax,
        bulkBatchMsMax: config.bulkBatchMsMax,
        queueTextsMax: config.queueTextsMax,
        queueTokensMax: config.queueTokensMax,
        queueCharsMax: config.queueCharsMax,
      },
    })
    closers.push(() => encoder.close())
    encoder.onDeath(fail)
    stillWanted()
    onProgress?.(`Opening the documents in ${config.dataDir}`)
    const store = await openEmbeddedStore({
      dataDir: config.dataDir,
      dimensions: encoder.card.dimensions,
      fingerprint: encoder.card.fingerprint,
      m: config.hnswM,
      efConstruction: config.hnswEfConstruction,
      efSearch: config.hnswEf,
      exactScoringMax: config.exactScoringMax,
      tombstoneRatioMax: config.tombstonePercentMax / 100,
      snapshotChangesMin: config.snapshotChangesMin,
      operationsWaitingMax: config.storeOperationsMax,
      writesWaitingMax: config.storeWritesMax,
      upsertDocumentsMax: Math.max(config.documentsPerRequestMax, config.ingestBatchDocuments),
      databaseBytesMax: config.databaseBytesMax,
      onNotice({ level, kind, message, facts }) {
        server.log[level]({ kind, ...facts }, message)
        if (state === 'starting') onProgress?.(message)
      },
    })
    closers.push(() => store.close())
    store.onDeath(fail)
    stillWanted()
    retrieval = {
      encoder: measuredEncoder(encoder, metrics),
      store: measuredStore(store, metrics),
      limits: config,
    }
    await firstRequests(retrieval)
    stillWanted()
    state = 'ready'
    return { url, retrieval }
  }

  async function shutDown(): Promise<void> {
    if (state !== 'failed') state = 'draining'
    const drained = server.close()
    const connections = () => server.server.closeAllConnections()
    await within(drained, config.drainMsMax, connections)
    await starting?.catch(() => {})
    const parts = async () => {
      for (const close of closers.reverse()) await close()
    }
    await within(parts(), config.closeMsMax, () => {
      throw new ServiceError('INTERNAL', `Closing took longer than ${config.closeMsMax} ms (CLOSE_MS_MAX).`)
    })
  }

  return {
    server,
    state: () => state,
    /** Resolves when requests are served. @throws ServiceError what stands in the way; then call `close` */
    start: () => (starting ??= open()),
    /** Stops accepting, lets open requests end (DRAIN_MS_MAX), closes every part. Idempotent. */
    close: () => (closing ??= shutDown()),
  }
}

/** What every later request does, once: a service is ready when it has really embedded and searched. */
async function firstRequests({ encoder, store }: Retrieval): Promise<void> {
  const { vectors } = await encoder.encode(['ready'], 'ebar', { lane: 'interactive' })
  await encoder.encode(['ready'], 'ebae', { lane: 'interactive' })
  await store.search(vectors, 1)
}

/** openapi.yaml, as the routes have it with default settings. */
export async function contract(): Promise<string> {
  const { server } = await createApp({ ...defaultConfig(), logLevel: 'silent' })
  await server.ready()
  return server.swagger({ yaml: true })
}
