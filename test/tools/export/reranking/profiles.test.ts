import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { pairTokens, queryPart, textPart } from '../../../../src/model/pair.ts'
import { readCard } from '../../../../src/model/read-card.ts'
import { BodyTokenizer } from '../../../../src/model/tokenizer/body-tokenizer.ts'
import { exportModel } from '../../../../src/tools/export/export-model.ts'
import { profileNamed } from '../../../../src/tools/export/prompts/profiles.ts'
import type { PairTemplateName } from '../../../../src/tools/export/reranking/pair-templates.ts'
import { llama2TokenizerJson, type TokenizerVariant } from '../../../fixtures/llama2-tokenizer.ts'
import { LLAMA2_TOKENIZER_CONFIG, llama2Checkpoint } from '../../../fixtures/random-checkpoint.ts'
import { readTensorFile, tensorFile } from '../tensor-file.ts'

/** LLaMA-2's vocabulary behind a classifier's head. */
function classifier(spaces: TokenizerVariant['spaces'] = 'normalizer'): string {
  const tokenizer = llama2TokenizerJson({ spaces, postProcessor: true })
  const folder = llama2Checkpoint(LLAMA2_TOKENIZER_CONFIG, tokenizer)
  const path = join(folder, 'model.safetensors')
  const tensors = readTensorFile(readFileSync(path))
  tensors.set('score.weight', { dtype: 'F16', shape: [1, 16], data: Buffer.alloc(32, 0x38) })
  writeFileSync(path, tensorFile(tensors))
  return folder
}

async function exported(checkpoint: string, template: PairTemplateName, profile?: string) {
  const out = join(mkdtempSync(join(tmpdir(), 'llara-ranker-')), 'model')
  const { maxBodyTokens, expectedIds, licence = 'none' } = profile ? profileNamed(profile) : {}
  await exportModel({
    checkpoint,
    out,
    precision: 'fp32',
    template,
    licence,
    source: 'random weights',
    ...(maxBodyTokens !== undefined && { maxBodyTokens }),
    ...(expectedIds && { expectedIds }),
  })
  const { template: pair } = readCard(out, 'reranker')
  const tokenizer = BodyTokenizer.load(readFileSync(join(out, 'tokenizer.json'), 'utf8'), pair.reservedIds)
  return {
    pair,
    async row(query: string, text: string): Promise<number[]> {
      const [first, second] = await tokenizer.encode([queryPart(pair, query), textPart(pair, text)])
      return [...pairTokens(pair, first!, second!).ids]
    },
  }
}

/** `query`, `:`, `what`, `is`, and `the` as LLaMA-2 has them; what is between them is spelled out. */
const QUERY = [2346, 29901, 825, 338]
const THE = 278

it('RankLLaMA’s has its limits, and a BOS before both parts', async () => {
  const { pair, row } = await exported(classifier(), 'rankllama', 'rankllama-passage')
  expect(pair).toMatchObject({ maxQueryTokens: 32, maxTextTokens: 161, maxTokens: 195, reservedIds: [1] })
  const ids = await row('what is', 'the')
  expect(ids.slice(0, 6)).toEqual([1, ...QUERY, 1])
  expect(ids.at(-1)).toBe(THE)
  expect(ids.filter((id) => id === 1)).toHaveLength(2)
  expect(profileNamed('rankllama-doc')).toMatchObject({ template: 'rankllama', maxBodyTokens: 2045 })
})

it('one string gives the ids that its two parts have, with the space where the tokenizer wants it', async () => {
  const { pair, row } = await exported(classifier(), 'rankllama-eos')
  expect(pair.text).toBe('document: ')
  const ids = await row('what is', 'the')
  const whole = BodyTokenizer.load(llama2TokenizerJson())
  const [expected] = await whole.encode(['query: what is document: the'])
  expect(ids).toEqual([1, ...expected!, 2])
})

it('a tokenizer that gives known texts other ids is refused', async () => {
  await expect(exported(classifier('none'), 'rankllama', 'rankllama-passage')).rejects.toMatchObject({
    code: 'CHECKPOINT_UNUSABLE',
    message: expect.stringMatching(/^The tokenizer encodes .* but the model was trained with/),
  })
})
