import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { defineCommand } from '../../src/cli/command.ts'
import { flag, text } from '../../src/cli/option.ts'
import { say, type Terminal } from '../../src/cli/terminal.ts'
import { type Found, printSearch } from './print-search.ts'
import { ownService, runningService, type Service } from './service.ts'

const DOCUMENTS = fileURLToPath(new URL('../../sample/documents.jsonl', import.meta.url))
const SEARCHES = [
  { query: 'why does pasta take longer to cook in the mountains?' },
  { query: 'what helps against feeling ill on a boat?' },
  { query: 'how was a cure for a disease found?', filter: { year: { $lt: 1900 } } },
]
const K = 3

interface Info {
  model: { id: string; dimensions: number; precision: string }
  device: string
}

interface Ingested {
  created: number
  updated: number
  failed: number
  tokens: number
  errors: { line: number; detail: string }[]
}

export const sampleCommand = defineCommand({
  name: 'sample',
  npm: 'npm run sample --',
  about:
    'Stores sample/documents.jsonl and prints three searches.\n\n' +
    'Without --url it starts a service of its own on a free port, with a temporary data folder that is removed at\n' +
    'the end; MODEL, DEVICE and THREADS apply. With --url it uses a running service, and the documents stay there\n' +
    'until the same command with --remove takes them out. API_KEY is sent as its key; it needs the write scope.',
  options: {
    url: text('URL', 'a running service, such as http://127.0.0.1:8080'),
    remove: { ...flag('remove the sample documents from it'), needs: 'url' },
  },
  async run({ given: { url, remove } }, terminal) {
    const service = url === undefined ? await ownService(terminal) : runningService(url)
    const stop = () => void service.close().finally(() => process.exit(130))
    process.once('SIGINT', stop).once('SIGTERM', stop)
    try {
      if (remove) await takeOut(service, terminal)
      else await show(service, terminal)
    } finally {
      process.off('SIGINT', stop).off('SIGTERM', stop)
      await service.close()
    }
  },
})

async function show({ client, own }: Service, { stdout }: Terminal): Promise<void> {
  const { model, device } = await client.send<Info>({ method: 'GET', path: '/info' })
  const { id, precision, dimensions } = model
  say(stdout, `Service    ${client.url}${own ? ' (started for this run; its data is temporary)' : ''}`)
  say(stdout, `Model      ${id}, ${precision}, ${dimensions} dimensions, on ${device}`)

  const lines = await readFile(DOCUMENTS, 'utf8')
  say(stdout, `Documents  ${lines.trimEnd().split('\n').length} to embed and store ...`)
  const began = performance.now()
  const sent = { method: 'POST', path: '/documents', type: 'application/x-ndjson', body: lines } as const
  const { created, updated, failed, tokens, errors } = await client.send<Ingested>(sent)
  const seconds = (performance.now() - began) / 1000
  if (failed > 0) {
    const [first] = errors
    throw new Error(`${failed} documents failed; line ${first?.line}: ${first?.detail}`)
  }
  const rate = `${Math.round((created + updated) / seconds)} documents/s, ${Math.round(tokens / seconds)} tokens/s`
  say(stdout, `           ${created} new, ${updated} replaced in ${seconds.toFixed(2)} s (${rate})`)

  for (const search of SEARCHES) {
    const started = performance.now()
    const body = JSON.stringify({ ...search, k: K })
    const found = await client.send<Found>({ method: 'POST', path: '/search', body })
    printSearch(stdout, search, found, performance.now() - started)
  }
  const next = own
    ? 'That was the sample. `npm start` keeps a service running; its documentation is at /docs.'
    : `The documents stay. To remove them: npm run sample -- --url ${client.url} --remove`
  say(stdout, `\n${next}`)
}

async function takeOut({ client }: Service, { stdout }: Terminal): Promise<void> {
  const lines = (await readFile(DOCUMENTS, 'utf8')).trimEnd().split('\n')
  const body = JSON.stringify({ ids: lines.map((line) => JSON.parse(line).id) })
  const sent = { method: 'POST', path: '/documents/delete', body } as const
  const { removed } = await client.send<{ removed: number }>(sent)
  say(stdout, `${removed} sample documents removed from ${client.url}.`)
}
