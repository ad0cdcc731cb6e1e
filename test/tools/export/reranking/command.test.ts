import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readCard } from '../../../../src/model/read-card.ts'
import { exportCommand } from '../../../../src/tools/export/command.ts'
import { pullCommand } from '../../../../src/tools/pull/command.ts'
import { ran } from '../../../cli/run-command.ts'
import { rerankerSource } from '../../../fixtures/golden-rerankers.ts'
import { CopiedCheckpoint } from '../copied-checkpoint.ts'

function freshOut(): string {
  return new CopiedCheckpoint('mha-paper').out
}

const FP32 = ['--licence', 'CC0', '--precision', 'fp32']

it('a classifier is exported as a reranker without being told, and the command says what it reads', async () => {
  const out = freshOut()
  const { stdout, status } = await ran(exportCommand, [
    rerankerSource('classifier').checkpoint,
    '--out',
    out,
    ...FP32,
  ])
  expect(status).toBe(0)
  expect(stdout).toMatch(/: a reranker, fp32, written to/)
  expect(stdout).toContain('reads: "<s>query: {query}<s>document: {text}"')
  expect(stdout).toMatch(/up to 32 tokens of query, \d+ of text, 256 in all/)
  expect(readCard(out, 'reranker').template.betweenIds).toEqual([1])
})

it('so is a LoRA for one', async () => {
  const { checkpoint, adapter } = rerankerSource('lora')
  const out = freshOut()
  const options = ['--adapter', adapter!, '--out', out, ...FP32]
  expect(await ran(exportCommand, [checkpoint, ...options])).toMatchObject({ status: 0 })
  expect(readCard(out, 'reranker').source).toBe('gqa-released + adapter')
})

it('any other LLaMA is one where --kind says so', async () => {
  const { checkpoint } = rerankerSource('yes-no')
  const out = freshOut()
  const told = await ran(exportCommand, [checkpoint, '--kind', 'reranker', '--out', out, ...FP32])
  expect(told.status).toBe(0)
  expect(readCard(out, 'reranker').head.kind).toBe('token')
  const contrary = ['--kind', 'encoder', '--template', 'yes-no', '--out', freshOut(), ...FP32]
  expect(await ran(exportCommand, [checkpoint, ...contrary])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining(
      '--template yes-no makes a model of kind reranker, and --kind says encoder',
    ),
  })
})

it('pull makes one of a folder, prints the ids around the pair, and says how to start it', async () => {
  const { checkpoint } = rerankerSource('classifier')
  const out = join(freshOut(), 'ranker')
  const { stdout, status } = await ran(pullCommand, [
    checkpoint,
    '--template',
    'rankllama-eos',
    '--out',
    out,
    ...FP32,
  ])
  expect(status).toBe(0)
  expect(stdout).toContain('reads "<s>query: {query} document: {text}</s>"  ids: [1] query [] text [2]')
  expect(stdout).toContain(`start it with RERANKER=${out} npm start`)
})

it('pull refuses known rerankers of other families before it downloads anything', async () => {
  expect(await ran(pullCommand, ['BAAI/bge-reranker-v2-gemma'])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining(
      'BAAI/bge-reranker-v2-gemma is a Gemma; only models of the LLaMA family can be exported.',
    ),
  })
})
