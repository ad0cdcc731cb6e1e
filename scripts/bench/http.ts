import { readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { text, wholeNumber, withDefault } from '../../src/cli/option.ts'
import { openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import { MODEL_FILES } from '../../src/model/card.ts'
import { modelFolder } from '../../src/model/find-model.ts'
import { BodyTokenizer } from '../../src/model/tokenizer/body-tokenizer.ts'
import { benchCall } from './call.ts'
import { ingest, searches } from './http-client.ts'
import { quantile, textsOfLength } from './sample-texts.ts'
import { metric, startServer } from './server-process.ts'

const COUNT = [1, 10_000_000] as const
const { given } = benchCall({
  name: 'http',
  about:
    'The built server (npm run build) as a process of its own: documents stored as NDJSON against the encoder alone on\n' +
    'the same texts, in turns; search latency idle and while documents stream in; event-loop delay; memory.',
  options: {
    model: withDefault(text('NAME|PATH', 'model folder'), 'llara-mini'),
    documents: withDefault(wholeNumber('N', COUNT, 'documents'), 2000),
    tokens: withDefault(wholeNumber('N', COUNT, 'tokens of a document'), 96),
    rounds: withDefault(wholeNumber('N', COUNT, 'times that storing is measured'), 3),
    searches: withDefault(wholeNumber('N', COUNT, 'searches that are measured'), 300),
  },
})

const folder = modelFolder(given.model)
const tokenizer = BodyTokenizer.load(readFileSync(join(folder, MODEL_FILES.tokenizer), 'utf8'))
const texts = await textsOfLength(tokenizer, given.tokens, given.documents)
const queries = await textsOfLength(tokenizer, 12, 100)
console.log(`machine: ${cpus()[0]?.model}, ${availableParallelism()} CPUs; Node ${process.versions.node}`)
console.log(`${folder}; ${texts.length} documents of ${given.tokens} tokens; medians`)

const server = await startServer({ MODEL: folder })
try {
  const emptyBytes = await metric(server.url, 'process_resident_memory_bytes')
  await ingestRate(server.url)
  await latency(server.url)
  const documents = await metric(server.url, 'llara_store_documents')
  const bytes = await metric(server.url, 'process_resident_memory_bytes')
  console.log(`memory: ${mib(emptyBytes)} MiB empty, ${mib(bytes)} MiB with ${documents} documents`)
} finally {
  await server.close()
}

/** The same texts through HTTP into the store, and through the encoder alone; never at once. */
async function ingestRate(url: string): Promise<void> {
  const encoder = await openOnnxEncoder({ modelFolder: folder })
  const direct = async () => {
    // Windows of an ingest batch, two on their way, as the service has them.
    const windows = Array.from({ length: Math.ceil(texts.length / 256) }, (_, i) =>
      texts.slice(i * 256, i * 256 + 256),
    )
    const lane = async () => {
      for (let window = windows.shift(); window; window = windows.shift())
        await encoder.encode(window, ['ebae'])
    }
    await Promise.all([lane(), lane()])
  }
  await encoder.encode(texts.slice(0, 64), ['ebae'])
  await ingest(url, texts.slice(0, 64), 'warm')
  const rounds: { http: number; raw: number }[] = []
  for (let round = 0; round < given.rounds; round++) {
    const raw = texts.length / (await seconds(direct))
    const http = texts.length / (await seconds(() => ingest(url, texts, `round${round}`)))
    rounds.push({ http, raw })
    console.log(
      `  round ${round + 1}: ${http.toFixed(1)} documents/s, encoder alone ${raw.toFixed(1)} texts/s`,
    )
  }
  await encoder.close()
  const median = (numbers: number[]) => quantile(numbers, 0.5)
  const share = median(rounds.map(({ http, raw }) => http / raw))
  console.log(
    `ingest: ${median(rounds.map(({ http }) => http)).toFixed(0)} documents/s; ` +
      `encoder alone ${median(rounds.map(({ raw }) => raw)).toFixed(0)} texts/s; ${(share * 100).toFixed(0)} %`,
  )
}

async function latency(url: string): Promise<void> {
  const count = given.searches
  await searches(url, queries, 20)
  report('idle', await searches(url, queries, count))
  let stop = false
  const feed = async () => {
    for (let i = 0; !stop; i++) await ingest(url, texts, `load${i}`, () => stop)
  }
  const feeding = feed()
  await metric(url, 'nodejs_eventloop_lag_p99_seconds')
  report('while ingesting', await searches(url, queries, count))
  const delay = await metric(url, 'nodejs_eventloop_lag_p99_seconds')
  stop = true
  await feeding
  console.log(`event-loop delay of the HTTP thread while ingesting: p99 ${(delay * 1000).toFixed(1)} ms`)
}

function report(load: string, times: number[]): void {
  const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)]
  console.log(`search, ${load}: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`)
}

async function seconds(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await run()
  return (performance.now() - started) / 1000
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}
