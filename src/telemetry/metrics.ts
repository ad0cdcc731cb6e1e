import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Encoder, EncoderStats } from '../encoder/encoder.ts'
import type { DocumentIndex } from '../index/document-index.ts'
import type { Reranker, RerankerStats, ScoreResult } from '../reranker/reranker.ts'
import { IndexFigures } from './index-figures.ts'
import { JobFigures } from './job-figures.ts'

/** From a lookup to an ingest that runs into its deadline. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600]

/** Gauges that prom-client names like counters; each is the sum of a gauge by type that stays. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
]

/** Every metric of one app, in a registry of its own. Labels are a closed set: never ids, texts or keys. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #requests = this.#histogram('http_request_duration_seconds', 'HTTP requests by route pattern.', [
    'method',
    'route',
    'status',
  ])
  readonly #encodes = this.#histogram('llara_encode_duration_seconds', 'Encoder calls, queue included.', [
    'lane',
    'prompt',
  ])
  readonly #encodeFaults = this.#counter('llara_encode_errors_total', 'Encoder calls that failed, by code.', [
    'code',
  ])
  readonly #texts = this.#counter('llara_encoded_texts_total', 'Texts embedded.', ['prompt'])
  readonly #truncated = this.#counter('llara_truncated_texts_total', 'Texts cut to the model limit.', [
    'prompt',
  ])
  readonly #mostlyUnknown = this.#counter(
    'llara_mostly_unknown_texts_total',
    'Texts of which the model read more unknown tokens than others.',
    ['prompt'],
  )
  readonly #operations = this.#histogram('llara_store_duration_seconds', 'Index calls.', [
    'collection',
    'operation',
  ])
  readonly #indexFaults = this.#counter('llara_store_errors_total', 'Index calls that failed, by code.', [
    'collection',
    'code',
  ])
  readonly #probes = this.#counter('llara_searches_total', 'Probes searched, by leg and the path taken.', [
    'collection',
    'leg',
    'path',
  ])
  readonly #searches = this.#histogram(
    'llara_search_duration_seconds',
    'Searches answered, by mode, the model included.',
    ['mode'],
  )
  readonly #reranks = this.#histogram('llara_rerank_duration_seconds', 'Reranker calls, queue included.', [
    'lane',
  ])
  readonly #rerankFaults = this.#counter(
    'llara_rerank_errors_total',
    'Reranker calls that failed, by code.',
    ['code'],
  )
  readonly #pairs = this.#counter('llara_reranked_texts_total', 'Texts scored with a query.', [])
  readonly #cutPairs = this.#counter('llara_rerank_truncated_texts_total', 'Such texts cut to fit.', [])
  readonly #searchReranks = this.#counter(
    'llara_search_reranks_total',
    'Searches with rerank, by what came of it: applied, or why hits kept their order.',
    ['outcome'],
  )
  readonly #silent = new Gauge({
    name: 'llara_thread_silent',
    help: '1 while a thread that has work does not answer.',
    labelNames: ['thread'],
    registers: [this.#registry],
  })
  readonly #indexes = new IndexFigures(
    (name, help) => new Gauge({ name, help, labelNames: ['collection'], registers: [this.#registry] }),
  )
  readonly jobs = new JobFigures({
    counter: (name, help, labels) => this.#counter(name, help, labels),
    gauge: (name, help, labelNames) => new Gauge({ name, help, labelNames, registers: [this.#registry] }),
  })

  constructor() {
    // Node counts the sampling interval into each delay: a short one keeps the figure honest.
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 2 })
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  async text(): Promise<string> {
    await this.#indexes.read()
    this.jobs.read()
    return this.#registry.metrics()
  }

  observeRequest(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status }, seconds)
  }

  observeEncode(
    labels: { lane: string; prompt: string },
    seconds: number,
    usage: { truncated: Uint8Array; mostlyUnknown: Uint8Array },
  ): void {
    const { prompt } = labels
    this.#encodes.observe(labels, seconds)
    this.#texts.inc({ prompt }, usage.truncated.length)
    const count = (flags: Uint8Array) => flags.reduce((sum, flag) => sum + flag, 0)
    this.#truncated.inc({ prompt }, count(usage.truncated))
    this.#mostlyUnknown.inc({ prompt }, count(usage.mostlyUnknown))
  }

  /** What a collection is called here: the first ones by their names, so that the labels stay few. */
  collectionLabel(collection: string): string {
    return this.#indexes.labelOf(collection)
  }

  observeIndex(labels: { collection: string; operation: string }, seconds: number): void {
    this.#operations.observe(labels, seconds)
  }

  countProbe(labels: { collection: string; leg: 'dense' | 'lexical'; path: string }): void {
    this.#probes.inc(labels)
  }

  observeSearch(mode: string, seconds: number): void {
    this.#searches.observe({ mode }, seconds)
  }

  /** Whether a thread has been silent for longer than it may. */
  setSilent(thread: string, silent: boolean): void {
    this.#silent.set({ thread }, silent ? 1 : 0)
  }

  countEncodeFault(code: string): void {
    this.#encodeFaults.inc({ code })
  }

  countIndexFault(labels: { collection: string; code: string }): void {
    this.#indexFaults.inc(labels)
  }

  observeRerank(lane: string, seconds: number, { truncated }: Pick<ScoreResult, 'truncated'>): void {
    this.#reranks.observe({ lane }, seconds)
    this.#pairs.inc(truncated.length)
    this.#cutPairs.inc(truncated.reduce((sum, flag) => sum + flag, 0))
  }

  countRerankFault(code: string): void {
    this.#rerankFaults.inc({ code })
  }

  countSearchRerank(outcome: string): void {
    this.#searchReranks.inc({ outcome })
  }

  /** Gauges and counters read from the encoder whenever metrics are asked for. */
  watchEncoder(encoder: Encoder): void {
    this.#watchQueue('encoder', encoder)
  }

  /** As `watchEncoder`, and whether the reranker lives. */
  watchReranker(reranker: Reranker): void {
    this.#watchQueue('reranker', reranker)
    let up = 1
    reranker.onDeath(() => {
      up = 0
    })
    this.#gauge('llara_reranker_up', '0 when the reranker has stopped.', [], (gauge) => gauge.set(up))
  }

  #watchQueue(part: 'encoder' | 'reranker', model: { stats(): Promise<EncoderStats | RerankerStats> }): void {
    this.#gauge(`llara_${part}_waiting_texts`, 'Texts waiting, by lane.', ['lane'], async (gauge) => {
      const { waitingTexts } = await model.stats()
      gauge.set({ lane: 'interactive' }, waitingTexts.interactive)
      gauge.set({ lane: 'bulk' }, waitingTexts.bulk)
    })
    this.#gauge(`llara_${part}_waiting_tokens`, 'Tokens waiting.', [], async (gauge) =>
      gauge.set((await model.stats()).waitingTokens),
    )
    const count = (name: string, help: string, read: (stats: EncoderStats | RerankerStats) => number) =>
      this.#ownCount(`llara_${part}_${name}`, help, async () => read(await model.stats()))
    count('batches_total', 'Batches run.', ({ batches }) => batches)
    count('tokens_total', 'Tokens run, without padding.', ({ tokens }) => tokens)
    count('padded_tokens_total', 'Tokens run, padding included.', ({ paddedTokens }) => paddedTokens)
  }

  /** Figures of a collection, read from its index whenever metrics are asked for, until the returned call. */
  watchIndex(collection: string, index: DocumentIndex): () => void {
    return this.#indexes.watch(collection, index)
  }

  #histogram<T extends string>(name: string, help: string, labelNames: T[]): Histogram<T> {
    return new Histogram({ name, help, labelNames, buckets: SECONDS, registers: [this.#registry] })
  }

  #counter<T extends string>(name: string, help: string, labelNames: T[]): Counter<T> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }

  /** A counter of what a part counts by itself, read whenever metrics are asked for. */
  #ownCount(name: string, help: string, read: () => Promise<number>): void {
    const registers = [this.#registry]
    new Counter({
      name,
      help,
      registers,
      async collect() {
        const total = await read()
        this.reset()
        this.inc(total)
      },
    })
  }

  #gauge<T extends string>(
    name: string,
    help: string,
    labelNames: T[],
    read: (gauge: Gauge<T>) => void | Promise<void>,
  ): void {
    const registers = [this.#registry]
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      async collect() {
        await read(this)
      },
    })
  }
}
