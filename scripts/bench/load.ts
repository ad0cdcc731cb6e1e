import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { text, wholeNumber, withDefault } from '../../src/cli/option.ts'
import { MODEL_FILES } from '../../src/model/card.ts'
import { modelFolder } from '../../src/model/find-model.ts'
import { BodyTokenizer } from '../../src/model/tokenizer/body-tokenizer.ts'
import { benchCall } from './call.ts'
import { ingest, searches } from './http-client.ts'
import { quantile, textsOfLength } from './sample-texts.ts'
import { metric, startServer } from './server-process.ts'

const COUNT = [1, 10_000_000] as const
/** Documents of one stream. */
const STREAM = 16
/** Streams at once. */
const STREAMS = 2
const { given } = benchCall({
  name: 'load',
  about:
    'The built server (npm run build) under documents alone, under searchers alone and under both, each for the same\n' +
    'time: documents and searches a second, latency, processor time. --compare runs it again with another setting, in turns.',
  options: {
    model: withDefault(text('NAME|PATH', 'model folder'), 'llara-mini'),
    tokens: withDefault(wholeNumber('N', COUNT, 'tokens of a document'), 96),
    searchers: withDefault(
      wholeNumber('N', COUNT, 'clients that search, each at once when it has its answer'),
      4,
    ),
    seconds: withDefault(wholeNumber('N', COUNT, 'length of each load'), 10),
    rounds: withDefault(wholeNumber('N', COUNT, 'times that everything is measured'), 3),
    compare: withDefault(text('NAME=A,B', 'a setting and its values, each a server of its own'), ''),
  },
})

interface Figures {
  documents: number
  searches: number
  p50: number
  p99: number
  /** Cores that the server kept busy. */
  cores: number
}

const folder = modelFolder(given.model)
const tokenizer = BodyTokenizer.load(readFileSync(join(folder, MODEL_FILES.tokenizer), 'utf8'))
const texts = await textsOfLength(tokenizer, given.tokens, 1024)
const queries = await textsOfLength(tokenizer, 12, 100)
const [name = '', values = ''] = given.compare.split('=')
const settings = name === '' ? [{}] : values.split(',').map((value) => ({ [name]: value }))
console.log(`machine: ${cpus()[0]?.model}, ${availableParallelism()} CPUs; Node ${process.versions.node}`)
console.log(
  `${folder}; documents of ${given.tokens} tokens; ${given.searchers} searchers; medians of ${given.rounds} rounds of ${given.seconds} s`,
)

const found = settings.map(() => ({
  ingest: [] as Figures[],
  search: [] as Figures[],
  both: [] as Figures[],
}))
const otherLoad = loadavg()[0] ?? 0
for (let round = 0; round < given.rounds; round++) {
  for (const [i, setting] of settings.entries()) {
    const server = await startServer({
      MODEL: folder,
      REQUESTS_MAX: '65536',
      CLIENT_SHARE_PERCENT: '100',
      ...setting,
    })
    try {
      await ingest(server.url, texts.slice(0, STREAM), 'warm')
      found[i]!.ingest.push(await load(server.url, STREAMS, 0))
      found[i]!.search.push(await load(server.url, 0, given.searchers))
      found[i]!.both.push(await load(server.url, STREAMS, given.searchers))
      console.log(`round ${round + 1}, ${label(setting)}`)
      for (const [kind, figures] of Object.entries(found[i]!)) report(kind, figures.slice(-1))
    } finally {
      await server.close()
    }
  }
}
console.log(`load average of the machine before: ${otherLoad.toFixed(1)}`)
for (const [i, setting] of settings.entries()) {
  console.log(`medians, ${label(setting)}`)
  for (const [load, figures] of Object.entries(found[i]!)) report(load, figures)
}

/** Documents stream in (or not) while searchers search (or not). */
async function load(url: string, streams: number, searchers: number): Promise<Figures> {
  const stored = () => metric(url, 'llara_store_documents')
  const cpu = () => metric(url, 'process_cpu_seconds_total')
  let stop = false
  // Short streams: what is under way when the time is over has to be waited for.
  const part = (i: number) => texts.slice((i * STREAM) % texts.length).slice(0, STREAM)
  const feed = async () => {
    for (let i = 0; !stop; i++) await ingest(url, part(i), `${Math.random()}`, () => stop)
  }
  const search = async () => {
    const times: number[] = []
    while (!stop) times.push(...(await searches(url, queries, 1, 0)))
    return times
  }
  const [documentsBefore, cpuBefore] = [await stored(), await cpu()]
  const began = performance.now()
  const feeding = Promise.all(Array.from({ length: streams }, feed))
  const searching = Promise.all(Array.from({ length: searchers }, search))
  await new Promise((resolve) => setTimeout(resolve, given.seconds * 1000))
  const seconds = (performance.now() - began) / 1000
  const documents = (await stored()) - documentsBefore
  const cpuSeconds = (await cpu()) - cpuBefore
  stop = true
  const times = (await searching).flat()
  await feeding
  return {
    documents: documents / seconds,
    searches: times.length / seconds,
    p50: times.length > 0 ? quantile(times, 0.5) : Number.NaN,
    p99: times.length > 0 ? quantile(times, 0.99) : Number.NaN,
    cores: cpuSeconds / seconds,
  }
}

function label(setting: object): string {
  return Object.entries(setting).flat().join('=') || 'defaults'
}

function report(name: string, rounds: readonly Figures[]): void {
  const median = (pick: (figures: Figures) => number) => quantile(rounds.map(pick), 0.5)
  const parts: string[] = []
  const documents = median((figures) => figures.documents)
  const searched = median((figures) => figures.searches)
  const cpuMs = (count: (figures: Figures) => number) =>
    median((figures) => (1000 * figures.cores) / count(figures)).toFixed(1)
  if (documents > 0) parts.push(`${documents.toFixed(1)} documents/s`)
  if (searched > 0) {
    parts.push(`${searched.toFixed(1)} searches/s`)
    parts.push(
      `p50 ${median((figures) => figures.p50).toFixed(1)} ms, p99 ${median((figures) => figures.p99).toFixed(1)} ms`,
    )
  }
  parts.push(`${median((figures) => figures.cores).toFixed(2)} cores`)
  if (documents > 0 && searched === 0)
    parts.push(`${cpuMs((figures) => figures.documents)} ms of processor a document`)
  if (searched > 0 && documents === 0) parts.push(`${cpuMs((figures) => figures.searches)} ms a search`)
  console.log(`  ${name.padEnd(7)} ${parts.join('; ')}`)
}
