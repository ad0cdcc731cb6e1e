import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const HELP = `npm run sample [-- --url http://127.0.0.1:8080 [--remove]]

Ingests sample/documents.jsonl and prints three searches.

Without --url it starts a service of its own on a free port, with a temporary data folder that is removed at the
end; MODEL, DEVICE and THREADS apply. With --url it uses that running service, and the documents stay there
until the same command with --remove takes them out. API_KEY is sent as its key; it needs the write scope.`

const DOCUMENTS = fileURLToPath(new URL('../sample/documents.jsonl', import.meta.url))
const SEARCHES = [
  { query: 'why does pasta take longer to cook in the mountains?' },
  { query: 'what helps against feeling ill on a boat?' },
  { query: 'how was a cure for a disease found?', filter: { year: { $lt: 1900 } } },
]
const K = 3
const WIDTH = Math.min(Math.max(process.stdout.columns ?? 110, 80), 160)

interface Service {
  url: string
  /** Started by this run, on data that go with it. */
  own: boolean
  close(): Promise<void>
}

interface Info {
  model: { id: string; dimensions: number; precision: string }
  device: string
  store: { documents: number }
}
interface Ingested {
  created: number
  updated: number
  failed: number
  tokens: number
  errors: { line: number; detail: string }[]
}
interface Found {
  results: { score: number; title: string; text: string }[]
  path: string
  timings_ms: { inference?: number; search?: number }
}

/** A fault to tell, not to trace. */
class Complaint extends Error {}

try {
  await main()
} catch (error) {
  const { message, name, stack } = error as Error
  console.error(error instanceof Complaint || name === 'ServiceError' ? message : stack)
  process.exitCode = 1
}

async function main(): Promise<void> {
  const { url, remove, help } = argumentsOf(process.argv.slice(2))
  if (help) return console.log(HELP)
  if (remove && !url) throw new Complaint('--remove needs --url: without it nothing is kept.')
  const service = url ? running(url) : await ownService()
  const stop = () => void service.close().finally(() => process.exit(130))
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    if (remove) await takeOut(service)
    else await show(service)
  } finally {
    await service.close()
  }
}

function argumentsOf(args: string[]) {
  const options = {
    url: { type: 'string' },
    remove: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const
  try {
    return parseArgs({ args, options }).values
  } catch (error) {
    throw new Complaint(`${(error as Error).message}\n\n${HELP}`)
  }
}

function running(given: string): Service {
  if (!URL.canParse(given))
    throw new Complaint(`--url ${given} is no URL; it looks like http://127.0.0.1:8080.`)
  return { url: given.replace(/\/+$/, ''), own: false, close: async () => {} }
}

/** A service inside this process, on a data folder of its own. */
async function ownService(): Promise<Service> {
  // Loaded here: with --url none of it is needed.
  const { createApp } = await import('../src/app.ts')
  const { readConfig } = await import('../src/config/read.ts')
  const { MODEL, DEVICE, THREADS } = process.env
  const config = readConfig({ MODEL, DEVICE, THREADS, PORT: '0', LOG_LEVEL: 'error' })
  console.log('Starting a service ...')
  const dataDir = await mkdtemp(join(tmpdir(), 'llara-sample-'))
  const app = await createApp({ ...config, dataDir })
  const close = async () => {
    await app.close()
    await rm(dataDir, { recursive: true, force: true })
  }
  try {
    const { url } = await app.start()
    return { url, own: true, close }
  } catch (error) {
    await close()
    const { message } = error as Error
    throw new Complaint(
      `${message}\nOr name a service that runs: npm run sample -- --url http://127.0.0.1:8080`,
    )
  }
}

async function show(service: Service): Promise<void> {
  const { model, device } = await call<Info>(service, 'GET', '/info')
  console.log(
    `Service    ${service.url}${service.own ? ' (started for this run; its data are temporary)' : ''}`,
  )
  console.log(`Model      ${model.id}, ${model.precision}, ${model.dimensions} dimensions, on ${device}`)

  const body = await readFile(DOCUMENTS, 'utf8')
  console.log(`Documents  ${body.trimEnd().split('\n').length} to embed and store ...`)
  const began = performance.now()
  const answer = await call<Ingested>(service, 'POST', '/documents', body, 'application/x-ndjson')
  const seconds = (performance.now() - began) / 1000
  const { created, updated, failed, tokens, errors } = answer
  if (failed > 0)
    throw new Complaint(`${failed} documents failed; line ${errors[0]?.line}: ${errors[0]?.detail}`)
  const rate = `${Math.round((created + updated) / seconds)} documents/s, ${Math.round(tokens / seconds)} tokens/s`
  console.log(`           ${created} new, ${updated} replaced in ${seconds.toFixed(2)} s (${rate})`)

  for (const search of SEARCHES) {
    const started = performance.now()
    const body = JSON.stringify({ ...search, k: K })
    const found = await call<Found>(service, 'POST', '/search', body, 'application/json')
    printSearch(search, found, performance.now() - started)
  }
  if (!service.own) {
    console.log(`\nThe documents stay: npm run sample -- --url ${service.url} --remove   takes them out.`)
  } else {
    console.log('\nThat was the sample. `npm start` keeps a service running; its documentation is at /docs.')
  }
}

function printSearch({ query, filter }: (typeof SEARCHES)[number], found: Found, ms: number): void {
  const { inference = 0, search = 0 } = found.timings_ms
  const phases = `model ${inference.toFixed(1)} ms, search ${search.toFixed(1)} ms, ${found.path}`
  console.log(`\n"${query}"${filter ? `  filter ${JSON.stringify(filter)}` : ''}`)
  console.log(`${ms.toFixed(1)} ms over HTTP (${phases})`)
  console.log(row('rank', 'score', 'title', 'text'))
  for (const [index, { score, title, text }] of found.results.entries()) {
    console.log(row(String(index + 1), score.toFixed(3), title, text))
  }
}

function row(rank: string, score: string, title: string, text: string): string {
  return `  ${rank.padEnd(4)}  ${score.padEnd(5)}  ${cut(title, 36).padEnd(36)}  ${cut(text, WIDTH - 53)}`
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1).trimEnd()}…` : text
}

async function takeOut(service: Service): Promise<void> {
  const lines = (await readFile(DOCUMENTS, 'utf8')).trimEnd().split('\n')
  const body = JSON.stringify({ ids: lines.map((line) => JSON.parse(line).id) })
  const { removed } = await call<{ removed: number }>(service, 'POST', '/documents/delete', body)
  console.log(`${removed} sample documents removed from ${service.url}.`)
}

/** @throws Complaint with what the service says, or that nothing answers */
async function call<T>(
  { url }: Service,
  method: string,
  path: string,
  body?: string,
  type = 'application/json',
): Promise<T> {
  const key = process.env['API_KEY']
  const headers = { ...(body && { 'content-type': type }), ...(key && { authorization: `Bearer ${key}` }) }
  const response = await fetch(url + path, { method, headers, ...(body && { body }) }).catch(({ cause }) => {
    throw new Complaint(
      `Nothing answers at ${url} (${cause?.code ?? cause?.message}); start it with npm start.`,
    )
  })
  const text = await response.text()
  if (response.ok) return JSON.parse(text)
  const detail = text.startsWith('{') ? JSON.parse(text).detail : text.slice(0, 200)
  const hint =
    response.status === 401 || response.status === 403 ? ' Set API_KEY to a key with write scope.' : ''
  throw new Complaint(`${method} ${path}: ${response.status} ${detail}${hint}`)
}
