import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { BodyTokenizer } from '../../../src/model/tokenizer/body-tokenizer.ts'
import { pullCommand } from '../../../src/tools/pull/command.ts'
import { ran } from '../../cli/run-command.ts'
import { sentencePieceIds } from '../../fixtures/sentencepiece.ts'
import { ModelOnlyCheckpoint } from '../export/tokenizer/model-only.ts'
import { LoopbackHub } from './loopback-hub.ts'

const REPOSITORY = 'BAAI/LLARA-model-only'

let hub: LoopbackHub
let out: string
beforeEach(async () => {
  hub = await LoopbackHub.start()
  vi.stubEnv('HF_ENDPOINT', hub.url)
  vi.stubEnv('HF_TOKEN', undefined)
  out = realpathSync(mkdtempSync(join(tmpdir(), 'llara-pull-tokenizer-')))
})
afterEach(() => {
  vi.unstubAllEnvs()
  return hub.close()
})

function pull() {
  const args = ['--template', 'paper', '--precision', 'fp32', '--licence', 'test']
  const places = ['--out', join(out, 'model'), '--checkpoint', join(out, 'checkpoint')]
  return ran(pullCommand, [REPOSITORY, ...args, ...places])
}

it('pulls a repository with tokenizer.model alone, and says so before its weights', async () => {
  hub.publishFolder(REPOSITORY, new ModelOnlyCheckpoint().folder)
  const { status, stdout } = await pull()
  expect(status).toBe(0)
  expect(stdout).toMatch(/^tokenizer\.json is made from tokenizer\.model\nebar: /)
  const tokenizer = BodyTokenizer.load(readFileSync(join(out, 'model', 'tokenizer.json'), 'utf8'))
  const rows = sentencePieceIds('llama')
  const found = await tokenizer.encode(rows.map(({ text }) => text))
  expect(found.map((ids) => [...ids])).toEqual(rows.map(({ ids }) => ids))
})

it('refuses a tokenizer.model it cannot read before the weights', async () => {
  hub.publishFolder(REPOSITORY, new ModelOnlyCheckpoint('unigram').folder)
  const { status, stderr } = await pull()
  expect(status).toBe(2)
  expect(stderr).toContain('tokenizer.model is a Unigram model')
  expect(hub.asked.filter(({ server }) => server === 'cdn')).toEqual([])
})

it('refuses a repository without a tokenizer', async () => {
  const { folder } = new ModelOnlyCheckpoint()
  rmSync(join(folder, 'tokenizer.model'))
  hub.publishFolder(REPOSITORY, folder)
  const { status, stderr } = await pull()
  expect(status).toBe(2)
  expect(stderr).toContain('has neither tokenizer.json nor tokenizer.model')
})
