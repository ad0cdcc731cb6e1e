import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { sampleCommand } from '../scripts/sample/command.ts'
import { type App, createApp } from '../src/app.ts'
import { readConfig } from '../src/config/read.ts'
import { type Ran, ran } from './cli/run-command.ts'
import { tinyModel } from './fixtures/tiny-model.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const KEY = 'a-key-for-this-test-only'
const scratch = mkdtempSync(join(tmpdir(), 'llara-sample-test-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

afterEach(() => vi.unstubAllEnvs())

/** `npm run sample -- ...args` in this process, with nothing of this machine's settings. */
function sample(args: string[], settings: Record<string, string> = {}): Promise<Ran> {
  const none = { MODEL: undefined, DEVICE: undefined, THREADS: undefined, API_KEY: undefined }
  for (const [name, value] of Object.entries({ ...none, TMPDIR: scratch, ...settings })) {
    vi.stubEnv(name, value)
  }
  return ran(sampleCommand, args)
}

describe('the documents', () => {
  const lines = readFileSync(`${root}/sample/documents.jsonl`, 'utf8').trimEnd().split('\n')
  const documents = lines.map((line) => JSON.parse(line))

  test('are about 200, each with its own id and title', () => {
    expect(documents.length).toBeGreaterThanOrEqual(190)
    expect(new Set(documents.map(({ id }) => id)).size).toBe(documents.length)
    expect(new Set(documents.map(({ title }) => title)).size).toBe(documents.length)
  })

  test('are short prose with metadata to filter by', () => {
    for (const { id, title, text, metadata } of documents) {
      expect(id).toMatch(/^[a-z]+(-[a-z0-9]+)+$/)
      expect(title.length).toBeLessThanOrEqual(60)
      expect(text.length).toBeGreaterThan(60)
      expect(text.length).toBeLessThan(400)
      expect(text).toMatch(/^[A-Z].*[.?]$/)
      expect(metadata.topic).toMatch(/^[a-z]+$/)
      expect([1, 2, 3]).toContain(metadata.level)
    }
    const topics = new Set<string>(documents.map(({ metadata }) => metadata.topic))
    expect(topics.size).toBeGreaterThanOrEqual(12)
    for (const topic of topics) {
      const inTopic = documents.filter(({ metadata }) => metadata.topic === topic)
      expect([topic, inTopic.length >= 8]).toEqual([topic, true])
    }
    expect(documents.filter(({ metadata }) => metadata.year !== undefined).length).toBeGreaterThan(40)
  })
})

describe('npm run sample, by itself', () => {
  test('ingests, prints three searches and leaves nothing behind', async () => {
    const { status, stdout, stderr } = await sample([], { MODEL: await tinyModel() })
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain('200 new, 0 replaced')
    expect(stdout.match(/^ {2}[123] {5}-?\d\.\d{3} /gm)).toHaveLength(9)
    expect(stdout).toContain('filter {"year":{"$lt":1900}}')
    expect(readdirSync(scratch).filter((name) => name.startsWith('llara-sample-'))).toEqual([])
  })

  test('finds with the bundled model what each question is about', async () => {
    const { status, stdout } = await sample([])
    expect(status).toBe(0)
    const [, ...searches] = stdout.split(/^"/m)
    const wanted = [
      'Why water boils sooner on a mountain',
      'Feeling well on a rolling ship',
      'Lemons against scurvy',
    ]
    expect(searches).toHaveLength(wanted.length)
    for (const [index, title] of wanted.entries()) expect(searches[index]).toContain(title)
  })

  test('without a model says what to do', async () => {
    const { status, stderr } = await sample([], { MODEL: 'no-such-model' })
    expect(status).toBe(2)
    expect(stderr).toContain('no-such-model')
    expect(stderr).toContain('--url')
    expect(stderr).not.toContain('    at ')
  })
})

describe('npm run sample -- --url', () => {
  let app: App
  let url = ''
  const dataDir = mkdtempSync(join(tmpdir(), 'llara-sample-served-'))

  beforeAll(async () => {
    const settings = { PORT: '0', API_KEYS: `write:${KEY}`, LOG_LEVEL: 'silent', DATA_DIR: dataDir }
    app = await createApp(readConfig({ ...settings, MODEL: await tinyModel() }))
    url = (await app.start()).url
  })
  afterAll(async () => {
    await app.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  const count = async () => (await (await app.start()).retrieval.index.stats()).documents

  test('fills the service, and --remove empties it again', async () => {
    const filled = await sample(['--url', `${url}/`], { API_KEY: KEY })
    expect([filled.status, filled.stderr]).toEqual([0, ''])
    expect(filled.stdout).toContain('--remove')
    expect(await count()).toBe(200)
    const removed = await sample(['--url', url, '--remove'], { API_KEY: KEY })
    expect([removed.status, removed.stdout]).toEqual([0, `200 sample documents removed from ${url}.\n`])
    expect(await count()).toBe(0)
  })

  test('has a help', async () => {
    const { status, stdout } = await sample(['--help'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^Usage: npm run sample -- \[options\]\n/)
    expect(stdout).toContain('--remove')
  })

  test('without a key asks for one', async () => {
    const { status, stderr } = await sample(['--url', url])
    expect(status).toBe(1)
    expect(stderr).toContain('API_KEY')
  })

  test.each([
    [['--url', 'http://127.0.0.1:1'], 1, 'Nothing answers at http://127.0.0.1:1'],
    [['--url', 'localhost'], 2, '--url localhost: it must be like http://127.0.0.1:8080'],
    [['--remove'], 2, '--remove needs --url'],
    [['--port', '1'], 2, 'There is no option --port. The options are --url, --remove.'],
  ])('%j ends with %d and a reason', async (args, code, reason) => {
    const { status, stderr } = await sample(args)
    expect(status).toBe(code)
    expect(stderr).toContain(reason)
  })
})
