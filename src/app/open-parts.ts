import { Collections } from '../collections/collections.ts'
import { modelVectors } from '../collections/vector-space.ts'
import type { Config } from '../config/settings.ts'
import type { Encoder } from '../encoder/encoder.ts'
import { openOnnxEncoder } from '../encoder/onnx/onnx-encoder.ts'
import type { ServiceError } from '../errors.ts'
import type { Server } from '../http/http-context.ts'
import { documentLines } from '../http/wire/document-lines.ts'
import { NEW_SETTINGS } from '../index/collection-settings.ts'
import type { DocumentIndex } from '../index/document-index.ts'
import { startEmbeddedEngine } from '../index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION, type IndexEngine, type IndexNotice } from '../index/index-engine.ts'
import type { Jobs } from '../jobs/jobs.ts'
import { openJobs } from '../jobs/open-jobs.ts'
import { modelFolder } from '../model/find-model.ts'
import { openOnnxReranker } from '../reranker/onnx/onnx-reranker.ts'
import type { Reranker } from '../reranker/reranker.ts'
import { measuredEncoder } from '../telemetry/measured-encoder.ts'
import { measuredIndex } from '../telemetry/measured-index.ts'
import { measuredReranker } from '../telemetry/measured-reranker.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Troubles } from '../telemetry/troubles.ts'
import type { Watch } from '../worker/watchdog.ts'
import { chunkingFrom, sayChunking } from './chunking-settings.ts'

/** Where documents are kept. A new engine is one folder under index/ and one line here. */
const ENGINES = {
  embedded: (config: Config, onNotice: (notice: IndexNotice) => void, watch: Watch): Promise<IndexEngine> =>
    startEmbeddedEngine({
      dataDir: config.dataDir,
      ...(config.backupDir && { backupDir: config.backupDir }),
      limits: config,
      onNotice,
      watch,
    }),
}

/** What the parts of the service are opened with. */
export interface Setting {
  config: Config
  log: Server['log']
  metrics: Metrics
  troubles: Troubles
  /** Called in reverse order when the service closes. */
  closers: (() => Promise<void>)[]
  /** A line for people, while the service starts. */
  progress(line: string): void
  /** Ends the service. */
  fail(error: ServiceError): void
}

export async function openEncoder(setting: Setting, folder: string): Promise<Encoder> {
  const encoder = await openOnnxEncoder(modelOptions(setting, 'encoder', folder))
  setting.closers.push(() => encoder.close())
  return encoder
}

/** The reranker that the configuration names, if any. */
export async function openReranker(setting: Setting): Promise<Reranker | undefined> {
  const { config, closers, progress } = setting
  if (config.reranker === '') return undefined
  const folder = modelFolder(config.reranker, 'RERANKER')
  progress(`Loading the reranker from ${folder}`)
  const reranker = await openOnnxReranker(modelOptions(setting, 'reranker', folder))
  closers.push(() => reranker.close())
  return reranker
}

function modelOptions(setting: Setting, thread: 'encoder' | 'reranker', folder: string) {
  const { config } = setting
  return {
    modelFolder: folder,
    check: config.modelCheck,
    device: config.device,
    deviceId: config.cudaDevice,
    spinning: config.threadsSpin,
    ...(config.threads > 0 && { intraOpThreads: config.threads }),
    limits: config,
    watch: watch(setting, thread),
  }
}

export async function openEngine(setting: Setting): Promise<IndexEngine> {
  const { config, log, closers, progress } = setting
  progress(`Opening the documents in ${config.dataDir}`)
  const engine = await ENGINES.embedded(
    config,
    ({ level, kind, message, collection, facts }) => {
      log[level]({ kind, collection, ...facts }, message)
      progress(message)
    },
    watch(setting, 'index'),
  )
  closers.push(() => engine.close())
  return engine
}

/** Opens the default collection, tries it and the encoder out, and gets all others ready to be opened. */
export async function openCollections(
  { config, log, metrics, troubles, closers, progress, fail }: Setting,
  encoder: Encoder,
  engine: IndexEngine,
  reranker: Reranker | undefined,
): Promise<Collections> {
  engine.onDeath(fail)
  engine.onTrouble((collection, trouble) => {
    const isMinor = collection !== DEFAULT_COLLECTION
    troubles.set(log, { collection }, trouble, 'documents can be stored again', isMinor)
  })
  const defaults = { ...NEW_SETTINGS, chunking: chunkingFrom(config, encoder) }
  const first = await engine.open(DEFAULT_COLLECTION, modelVectors(encoder), defaults)
  sayChunking(first.settings, defaults, (message) => {
    log.warn({ kind: 'chunking', collection: DEFAULT_COLLECTION }, message)
    progress(message)
  })
  await firstRequests(encoder, first)
  const collections = await Collections.open(
    {
      engine,
      encoder: measuredEncoder(encoder, metrics),
      reranker: reranker && measuredReranker(reranker, metrics),
      limits: config,
      defaults,
      measured: (index, name) => measuredIndex(index, name, metrics),
      onFault: (facts, { code, message }) => log.error({ code, ...facts }, message),
    },
    first,
  )
  closers.push(() => collections.close())
  return collections
}

/** Jobs as they were left; none runs before `start`. */
export async function openServiceJobs(
  { config, log, metrics }: Setting,
  collections: Collections,
  engine: IndexEngine,
): Promise<Jobs> {
  const parts = { config, collections, documentLines: documentLines(config), log, watch: metrics.jobs }
  const jobs = await openJobs(engine, parts)
  metrics.jobs.follow(jobs)
  return jobs
}

function watch({ config, log, metrics, troubles }: Setting, thread: 'encoder' | 'reranker' | 'index'): Watch {
  return {
    msMax: config.watchdogMs,
    onChange(silent) {
      metrics.setSilent(thread, silent !== undefined)
      troubles.set(log, { thread }, silent, 'the thread answers again', thread === 'reranker')
    },
  }
}

/** What every later request does, once: a service is ready when it has really embedded and searched. */
async function firstRequests(encoder: Encoder, index: DocumentIndex): Promise<void> {
  const { vectors } = await encoder.encode(['ready'], ['ebar'], { lane: 'interactive' })
  await encoder.encode(['ready'], ['ebae'], { lane: 'interactive' })
  await index.search([{ vector: vectors.ebar[0]! }], 1)
}
