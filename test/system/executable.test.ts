import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tinyModel } from '../fixtures/tiny-model.ts'
import { launch, startServer, temporaryFolder } from './built-server.ts'

/** Scripts that a process ran, its workers' included, as V8 lists them when it ends. */
function loadedBy(coverage: string): string[] {
  const urls = readdirSync(coverage).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(coverage, name), 'utf8')) as { result: { url: string }[] }
    return result.map(({ url }) => url)
  })
  rmSync(coverage, { recursive: true })
  return urls.filter((url) => url.startsWith('file:'))
}

const room = (name: string) => new RegExp(`/dist/${name}(/|\\.js$)|/node_modules/(${name})/`)

/** The scripts of a run that ends by itself. */
async function traced(...args: string[]): Promise<{ code: number | null; loaded: string[] }> {
  const coverage = temporaryFolder()
  const { code } = await launch({ NODE_V8_COVERAGE: coverage }, args).exit
  return { code, loaded: loadedBy(coverage) }
}

describe('the built program loads what it needs', () => {
  test('for its help: no part of the service, no tool, no package', async () => {
    const { code, loaded } = await traced('--help')
    expect(code).toBe(0)
    expect(loaded.some((url) => url.endsWith('/dist/main.js'))).toBe(true)
    expect(loaded.filter((url) => /\/dist\/(serve|app)\.js|\/dist\/tools\/|node_modules/.test(url))).toEqual(
      [],
    )
  })

  test('for the service: no tool and none of their packages', async () => {
    const coverage = temporaryFolder()
    const server = await startServer({
      MODEL: await tinyModel(),
      DATA_DIR: temporaryFolder(),
      NODE_V8_COVERAGE: coverage,
    })
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    const loaded = loadedBy(coverage)
    expect(loaded.some((url) => room('app').test(url))).toBe(true)
    for (const foreign of ['tools', 'protobufjs', '@huggingface', 'stemmer']) {
      expect(loaded.filter((url) => room(foreign).test(url))).toEqual([])
    }
  })

  test.each(['pull', 'export', 'evaluate'])('for %s: no HTTP server', async (name) => {
    const { code, loaded } = await traced(name)
    expect(code).toBe(2)
    expect(loaded.some((url) => room(`tools/${name}`).test(url))).toBe(true)
    for (const foreign of ['http/server', 'app', 'serve', 'fastify', '@fastify', 'prom-client']) {
      expect(loaded.filter((url) => room(foreign).test(url))).toEqual([])
    }
  })
})

test('errors of a user are one line on standard error, and end with 2', async () => {
  const { code } = await launch({}, ['evaluate', '/nowhere/set']).exit
  expect(code).toBe(2)
  const failed = launch({}, [
    'export',
    '/nowhere',
    '--out',
    join(temporaryFolder(), 'model'),
    '--licence',
    'x',
  ])
  expect(await failed.exit).toMatchObject({ code: 2 })
  expect(failed.output()).toBe('Not exported. /nowhere has no config.json: not a checkpoint folder.\n')
})

test('evaluate --url, stopped by Ctrl-C, removes what it stored and ends with 1', async () => {
  const server = await startServer({ MODEL: await tinyModel(), DATA_DIR: temporaryFolder() })
  const documents = async () => {
    const answer = await fetch(`${server.url}/info`)
    return ((await answer.json()) as { store: { documents: number } }).store.documents
  }
  const set = temporaryFolder()
  const lines = Array.from({ length: 20_000 }, (_, i) => `{"_id":"d${i}","text":"river and bridge ${i}"}\n`)
  writeFileSync(join(set, 'corpus.jsonl'), lines.join(''))
  writeFileSync(join(set, 'queries.jsonl'), '{"_id":"q","text":"river"}\n')
  writeFileSync(join(set, 'qrels.tsv'), 'q\td1\t1\n')
  const evaluation = launch({}, ['evaluate', set, '--url', server.url])
  while ((await documents()) === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await evaluation.kill('SIGINT')).toEqual({ code: 1, signal: null })
  expect(evaluation.output()).toMatch(/Stopping, and removing what was stored\.[\s\S]*documents removed from/)
  expect(await documents()).toBe(0)
  await server.kill('SIGTERM')
})
