import { describe, expect, it } from 'vitest'
import { readLlamaConfig } from '../../../../src/tools/export/checkpoint/llama-config.ts'
import { compilePrompts } from '../../../../src/tools/export/prompts/compile-prompts.ts'
import { TEMPLATES } from '../../../../src/tools/export/prompts/templates.ts'
import { llama2TokenizerJson, SPECIAL_IDS, VOCABULARY_SIZE } from '../../../fixtures/llama2-tokenizer.ts'
import { LLAMA2_TOKENIZER_CONFIG } from '../../../fixtures/random-checkpoint.ts'

const config = readLlamaConfig({
  model_type: 'llama',
  vocab_size: VOCABULARY_SIZE,
  hidden_size: 8,
  intermediate_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  rms_norm_eps: 1e-5,
  max_position_embeddings: 2048,
})

function compile(added: { id: number; content: string; special?: boolean }[]) {
  const file = JSON.parse(llama2TokenizerJson())
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false }
  file.added_tokens.push(...added.map((token) => ({ ...flags, ...token })))
  const sources = {
    config,
    tokenizerJson: JSON.stringify(file),
    tokenizerConfig: LLAMA2_TOKENIZER_CONFIG,
    training: undefined,
  }
  return compilePrompts(sources, TEMPLATES.released)
}

describe('an export refuses a tokenizer.json', () => {
  it.each([
    [
      'that gives a vocabulary piece another id',
      { id: 31_999, content: '▁what' },
      /▁what two ids, 825 and 31999/,
    ],
    [
      'that gives an added token another id',
      { id: 31_999, content: '<s1>' },
      /<s1> two ids, 32009 and 31999/,
    ],
    [
      "that gives a piece's id away",
      { id: 825, content: 'assay' },
      /the same id, 825, to ▁what and to assay/,
    ],
    [
      "that gives an added token's id away",
      { id: SPECIAL_IDS[0]!, content: 'assay' },
      /the same id, 32009, to <s1>/,
    ],
    [
      'with an added token beyond the embedding table',
      { id: VOCABULARY_SIZE, content: 'assay' },
      /id 32016 lies outside/,
    ],
  ])('%s', async (_, token, message) => {
    await expect(compile([token])).rejects.toMatchObject({
      code: 'CHECKPOINT_UNUSABLE',
      message: expect.stringMatching(message),
    })
  })

  it('and takes a special token without a row, which no text gives', async () => {
    const { prompts } = await compile([{ id: VOCABULARY_SIZE, content: '<pad>', special: true }])
    expect(prompts.ebae.prefixIds).toEqual([1, 376])
  })

  it('and takes a token that is listed twice alike, or is a piece', async () => {
    const twice = { id: SPECIAL_IDS[0]!, content: '<s1>', special: true }
    const { prompts } = await compile([twice, { id: 825, content: '▁what' }])
    expect(prompts.ebae.suffixIds.slice(-8)).toEqual(SPECIAL_IDS.slice(0, 8))
  })
})
