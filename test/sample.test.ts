import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type App, createApp } from '../src/app.ts'
import { readConfig } from '../src/config/read.ts'
import { tinyModel } from './fixtures/tiny-model.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const KEY = 'a-key-for-this-test-only'
const scratch = mkdtempSync(join(tmpdir(), 'llara-sample-test-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

interface Run {
  code: number | null
  out: string
  error: string
}

/** `npm run sample -- ...args`, with nothing of this machine's settings. */
function sample(args: string[], settings: Record<string, string> = {}): Promise<Run> {
  const env = { PATH: process.env['PATH'], TMPDIR: scratch, ...settings }
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/sample.ts', ...args], { cwd: root, env })
  const run: Run = { code: null, out: '', error: '' }
  child.stdout.on('data', (chunk) => (run.out += chunk))
  child.stderr.on('data', (chunk) => (run.error += chunk))
  return new Promise((resolve) => child.once('close', (code) => resolve({ ...run, code })))
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
    const { code, out, error } = await sample([], { MODEL: await tinyModel() })
    expect([code, error]).toEqual([0, ''])
    expect(out).toContain('200 new, 0 replaced')
    expect(out.match(/^ {2}[123] {5}-?\d\.\d{3} /gm)).toHaveLength(9)
    expect(out).toContain('filter {"year":{"$lt":1900}}')
    expect(readdirSync(scratch).filter((name) => name.startsWith('llara-sample-'))).toEqual([])
  })

  test('finds with the bundled model what each question is about', async () => {
    const { code, out } = await sample([])
    expect(code).toBe(0)
    const [, ...searches] = out.split(/^"/m)
    const wanted = [
      'Why water boils sooner on a mountain',
      'Feeling well on a rolling ship',
      'Lemons against scurvy',
    ]
    expect(searches).toHaveLength(wanted.length)
    for (const [index, title] of wanted.entries()) expect(searches[index]).toContain(title)
  })

  test('without a model says what to do', async () => {
    const { code, error } = await sample([], { MODEL: 'no-such-model' })
    expect(code).toBe(1)
    expect(error).toContain('no-such-model')
    expect(error).toContain('--url')
    expect(error).not.toContain('    at ')
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
    expect([filled.code, filled.error]).toEqual([0, ''])
    expect(filled.out).toContain('--remove')
    expect(await count()).toBe(200)
    const removed = await sample(['--url', url, '--remove'], { API_KEY: KEY })
    expect([removed.code, removed.out]).toEqual([0, `200 sample documents removed from ${url}.\n`])
    expect(await count()).toBe(0)
  })

  test('without a key asks for one', async () => {
    const { code, error } = await sample(['--url', url])
    expect(code).toBe(1)
    expect(error).toContain('API_KEY')
  })

  test.each([
    [['--url', 'http://127.0.0.1:1'], 'Nothing answers at http://127.0.0.1:1'],
    [['--url', 'localhost'], 'is no URL'],
    [['--remove'], '--remove needs --url'],
    [['--port', '1'], 'npm run sample'],
  ])('%j is refused with a reason', async (args, reason) => {
    const { code, error } = await sample(args)
    expect(code).toBe(1)
    expect(error).toContain(reason)
  })
})
