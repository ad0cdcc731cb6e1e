import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openOnnxEncoder } from '../../../src/encoder/onnx/onnx-encoder.ts'
import { readCard } from '../../../src/model/read-card.ts'
import { readCommand } from '../../../src/tools/pull/options.ts'
import { checkpointFolder, tinyModel } from '../../fixtures/tiny-model.ts'
import { filesOf, LoopbackHub } from './loopback-hub.ts'
import { content, expected, REPOSITORY } from './pulls.ts'

const SCRIPT = fileURLToPath(new URL('../../../src/tools/pull/command.ts', import.meta.url))
const SHARDED = checkpointFolder('gqa-released')
const TEMPLATE = ['--template', 'released', '--precision', 'fp32']

let hub: LoopbackHub
let cwd: string
beforeEach(async () => {
  hub = await LoopbackHub.start()
  hub.publishFolder(REPOSITORY, SHARDED)
  cwd = mkdtempSync(join(tmpdir(), 'llara-pull-cli-'))
})
afterEach(() => hub.close())

/** Starts the script in a folder of its own. */
function start(args: string[], environment: Record<string, string> = { HF_ENDPOINT: hub.url }) {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), SCRIPT, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], ...environment },
  })
  const printed = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    printed.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    printed.stderr += text
  })
  return { child, printed, closed: once(child, 'close') as Promise<[number | null]> }
}

async function run(args: string[], environment?: Record<string, string>) {
  const { printed, closed } = start(args, environment)
  const [status] = await closed
  return { ...printed, status }
}

async function vectors(modelFolder: string): Promise<number[][]> {
  const encoder = await openOnnxEncoder({ modelFolder, device: 'cpu' })
  try {
    const texts = ['The tide comes twice a day.', 'bread']
    const { ebae, ebar } = (await encoder.encode(texts, ['ebae', 'ebar'])).vectors
    return [...ebae, ...ebar].map((row) => [...row])
  } finally {
    await encoder.close()
  }
}

const model = (...path: string[]) => join(cwd, 'models', 'llara-tiny', ...path)
const checkpoint = (...path: string[]) => join(cwd, 'checkpoints', 'BAAI--LLARA-tiny', ...path)

describe('npm run model:pull', () => {
  it('makes of a repository the model that exporting its folder makes', async () => {
    const { stdout, stderr, status } = await run([REPOSITORY, ...TEMPLATE])
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(stdout).toContain('start it with MODEL=llara-tiny npm start')
    const card = readCard(model())
    expect(card).toMatchObject({ id: 'llara-tiny', licence: 'mit' })
    expect(card.source).toMatch(/^BAAI\/LLARA-tiny, commit [0-9a-f]{40}$/)
    expect(await vectors(model())).toEqual(await vectors(await tinyModel('gqa-released')))
    expect(existsSync(checkpoint())).toBe(false)
  })

  it('goes on after a kill, at the byte where it was', async () => {
    hub.bytesPerChunk = 4000
    hub.pauseMs = 20
    const first = start([REPOSITORY, ...TEMPLATE, '--keep-checkpoint'])
    const partial = () =>
      existsSync(checkpoint()) && readdirSync(checkpoint()).find((name) => name.startsWith('model-00002'))
    while (!partial() || statSync(checkpoint(partial() as string)).size < 8000) {
      await new Promise((done) => setTimeout(done, 5))
    }
    first.child.kill('SIGKILL')
    await first.closed
    const { size } = statSync(checkpoint(partial() as string))
    hub.asked.length = 0
    hub.pauseMs = 0
    const { status, stderr } = await run([REPOSITORY, ...TEMPLATE, '--keep-checkpoint'])
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(hub.ranges('model-00001-of-00003.safetensors')).toEqual([])
    expect(hub.ranges('model-00002-of-00003.safetensors')).toEqual([expect.stringMatching(`^bytes=${size}-`)])
    expect(content(checkpoint())).toEqual(expected(SHARDED))
    expect(await vectors(model())).toEqual(await vectors(await tinyModel('gqa-released')))
  })

  it('can stop at the checkpoint, and export it later from the folder', async () => {
    const folder = join(cwd, 'mine')
    const pulled = await run([REPOSITORY, '--download-only', '--checkpoint', folder])
    expect(pulled).toMatchObject({ status: 0, stderr: '' })
    expect(content(folder)).toEqual(expected(SHARDED))
    expect(existsSync(join(cwd, 'models'))).toBe(false)
    hub.asked.length = 0
    const more = ['--licence', 'CC0', '--out', model(), '--id', 'other']
    expect(await run([folder, ...TEMPLATE, ...more])).toMatchObject({ status: 0 })
    expect(hub.asked).toEqual([])
    expect(readCard(model())).toMatchObject({ id: 'other', licence: 'CC0' })
    expect(readCard(model()).source).toContain(`${REPOSITORY}, commit`)
    expect(existsSync(folder)).toBe(true)
  })

  it('takes the token from a file or from HF_TOKEN, and never prints it', async () => {
    const file = join(cwd, 'token')
    writeFileSync(file, 'hf_from_file\n')
    const environment = { HF_ENDPOINT: 'http://127.0.0.1:1', HF_TOKEN: 'hf_from_environment' }
    const args = [REPOSITORY, '--mirror', hub.url, '--download-only']
    const results = [
      await run([...args, '--token-file', file], environment),
      await run([...args, '--checkpoint', join(cwd, 'other')], environment),
    ]
    const sent = new Set(hub.asked.map(({ authorization }) => authorization))
    expect(sent).toEqual(new Set(['Bearer hf_from_file', 'Bearer hf_from_environment', undefined]))
    for (const { stdout, stderr, status } of results) {
      expect(status).toBe(0)
      expect(stdout + stderr).not.toContain('hf_')
    }
  })

  it('refuses a known model with another tokenizer before its weights', async () => {
    hub.publishFolder('baai/llara-PASSAGE', SHARDED)
    const { stderr, status } = await run(['baai/llara-PASSAGE'])
    expect(status).toBe(1)
    expect(stderr).toMatch(
      /^Not pulled\. The tokenizer gives the ebae prefix the ids \[1 .*\], .* with \[1 376\]/,
    )
    expect(hub.asked.filter(({ server }) => server === 'cdn')).toEqual([])
  })

  it('pulls an adapter and the model it belongs to, and merges them', async () => {
    const adapter = fileURLToPath(new URL('../../fixtures/adapters/plain', import.meta.url))
    const base = checkpointFolder('mha-released')
    const { 'merged.safetensors': _, ...files } = filesOf(adapter)
    hub.publish('BAAI/lora', files)
    hub.publishFolder('BAAI/base', base)
    const direct = await tinyModel('mha-released', { adapter })
    const both = await run(['BAAI/lora', ...TEMPLATE, '--base', 'BAAI/base'])
    expect(both).toMatchObject({ status: 0 })
    expect(readCard(join(cwd, 'models', 'lora')).source).toMatch(
      /^BAAI\/lora, commit .*, on BAAI\/base, commit /,
    )
    expect(await vectors(join(cwd, 'models', 'lora'))).toEqual(await vectors(direct))
    expect(readdirSync(join(cwd, 'checkpoints'))).toEqual([])
    const local = await run([adapter, ...TEMPLATE, '--base', base, '--licence', 'CC0', '--out', model()])
    expect(local).toMatchObject({ status: 0 })
    expect(readCard(model()).fingerprint).toBe(readCard(direct).fingerprint)
    const needless = await run([REPOSITORY, ...TEMPLATE, '--base', 'BAAI/base', '--out', join(cwd, 'x')])
    expect(needless.stderr).toContain('--base is for adapters')
    expect(hub.ranges('model-00001-of-00003.safetensors')).toEqual([])
  })

  it('says what is wrong in one line', async () => {
    const there = await tinyModel()
    const faults: [args: string[], told: string][] = [
      [[REPOSITORY], '--template paper, released, repllama'],
      [[REPOSITORY, ...TEMPLATE, '--out', there], 'exists already'],
      [['./nowhere', ...TEMPLATE], 'is not a checkpoint folder'],
      [['BAAI/nowhere', ...TEMPLATE], 'The hub has no BAAI/nowhere'],
      [[REPOSITORY, '--fast'], "Unknown option '--fast'"],
    ]
    const results = await Promise.all(faults.map(([args]) => run(args)))
    faults.forEach(([, told], i) => {
      const { status, stderr } = results[i]!
      expect(stderr).toContain(told)
      expect(stderr).toMatch(/^Not pulled\. /)
      expect(stderr.trim().split('\n')).toHaveLength(1)
      expect(status).toBe(1)
    })
    expect(readdirSync(cwd).filter((name) => name === 'models')).toEqual([])
  })

  it('reads its options', () => {
    const faults: [args: string[], told: string][] = [
      [[], 'Name one repository or folder.'],
      [['a', 'b'], 'Name one repository or folder.'],
      [['a', '--template', 'other'], '--template is other; it can be paper, released, repllama.'],
      [['a', '--precision', 'int2'], '--precision is int2; it can be int8, int4, fp16, fp32.'],
      [['a', '--quantisation', 'some'], '--quantisation is some; it can be'],
      [['a', '--max-body-tokens', '0'], '--max-body-tokens must be a number from 1.'],
      [['a', '--mirror', ' '], '--mirror is empty.'],
    ]
    for (const [args, told] of faults) expect(() => readCommand(args)).toThrow(told)
    expect(readCommand(['a', '--help'])).toBeUndefined()
    expect(readCommand(['a', '--max-body-tokens', '20', '--token-file', 't'])).toEqual({
      model: 'a',
      precision: 'int8',
      maxBodyTokens: 20,
      tokenFile: 't',
      overwrite: false,
      downloadOnly: false,
      keepCheckpoint: false,
    })
  })
})
