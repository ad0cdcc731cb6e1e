import { existsSync, mkdtempSync, readdirSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parseCommand } from '../../../src/cli/parse.ts'
import { openOnnxEncoder } from '../../../src/encoder/onnx/onnx-encoder.ts'
import { readCard } from '../../../src/model/read-card.ts'
import { pullCommand } from '../../../src/tools/pull/command.ts'
import { type Ran, ran } from '../../cli/run-command.ts'
import { checkpointFolder, tinyModel } from '../../fixtures/tiny-model.ts'
import { launch } from '../../system/built-server.ts'
import { filesOf, LoopbackHub } from './loopback-hub.ts'
import { content, expected, REPOSITORY } from './pulls.ts'

const SHARDED = checkpointFolder('gqa-released')
const TEMPLATE = ['--template', 'released', '--precision', 'fp32']
const here = process.cwd()

let hub: LoopbackHub
let cwd: string
beforeEach(async () => {
  hub = await LoopbackHub.start()
  hub.publishFolder(REPOSITORY, SHARDED)
  cwd = realpathSync(mkdtempSync(join(tmpdir(), 'llara-pull-cli-')))
  vi.stubEnv('HF_ENDPOINT', hub.url)
  vi.stubEnv('HF_TOKEN', undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
  return hub.close()
})

/** Runs the command in this process, in a folder of its own; one at a time. */
async function run(args: string[]): Promise<Ran> {
  process.chdir(cwd)
  try {
    return await ran(pullCommand, args)
  } finally {
    process.chdir(here)
  }
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

describe('llara-serve pull', () => {
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

  it('continues after a kill, at the byte where it was', async () => {
    hub.bytesPerChunk = 4000
    hub.pauseMs = 20
    const first = launch(
      { HF_ENDPOINT: hub.url },
      ['pull', REPOSITORY, ...TEMPLATE, '--keep-checkpoint'],
      cwd,
    )
    const partial = () =>
      existsSync(checkpoint()) && readdirSync(checkpoint()).find((name) => name.startsWith('model-00002'))
    while (!partial() || statSync(checkpoint(partial() as string)).size < 8000) {
      await new Promise((done) => setTimeout(done, 5))
    }
    expect(await first.kill('SIGKILL')).toMatchObject({ signal: 'SIGKILL' })
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
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:1')
    vi.stubEnv('HF_TOKEN', 'hf_from_environment')
    const args = [REPOSITORY, '--mirror', hub.url, '--download-only']
    const results = [
      await run([...args, '--token-file', file]),
      await run([...args, '--checkpoint', join(cwd, 'other')]),
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
    expect(status).toBe(2)
    expect(stderr).toMatch(
      /^Not pulled\. The tokenizer encodes the ebae prefix as \[1 .*\], .* with \[1 376\]/,
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
      [[REPOSITORY, '--fast'], 'There is no option --fast.'],
    ]
    for (const [args, told] of faults) {
      const { status, stderr } = await run(args)
      expect(stderr).toContain(told)
      expect(stderr).toMatch(/^Not pulled\. /)
      expect(stderr.trim().split('\n')).toHaveLength(1)
      expect(status).toBe(2)
    }
    expect(readdirSync(cwd).filter((name) => name === 'models')).toEqual([])
  })

  it('ends with 1 where the same command may succeed later', async () => {
    hub.refuse = () => ({ status: 503, headers: { 'retry-after': '7200' } })
    const { stderr, status } = await run([REPOSITORY, ...TEMPLATE])
    expect(stderr).toBe('Not pulled. The hub is busy and asks to be tried again in 120 minutes.\n')
    expect(status).toBe(1)
  })

  it('reads its options', () => {
    const read = (args: string[]) => parseCommand(pullCommand, args)
    const faults: [args: string[], told: string][] = [
      [[], 'Name one repository or folder (REPOSITORY|FOLDER).'],
      [['a', 'b'], 'Name one repository or folder (REPOSITORY|FOLDER), not 2: a, b.'],
      [
        ['a', '--template', 'other'],
        '--template is other; it can be paper, released, repllama, rankllama, rankllama-eos, yes-no.',
      ],
      [['a', '--precision', 'int2'], '--precision is int2; it can be int8, int4, fp16, fp32.'],
      [['a', '--quantisation', 'some'], '--quantisation is some; it can be'],
      [['a', '--max-body-tokens', '0'], '--max-body-tokens is 0; it must be a whole number from 1'],
      [['a', '--mirror', ' '], '--mirror is empty.'],
    ]
    for (const [args, told] of faults) expect(() => read(args)).toThrow(told)
    const { given, operands } = read(['a', '--max-body-tokens', '20', '--token-file', 't'])
    expect(operands).toEqual(['a'])
    expect(given).toEqual({
      precision: 'int8',
      maxBodyTokens: 20,
      tokenFile: 't',
      overwrite: false,
      downloadOnly: false,
      keepCheckpoint: false,
    })
  })
})
