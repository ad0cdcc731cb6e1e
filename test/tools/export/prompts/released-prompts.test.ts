import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openOnnxEncoder } from '../../../../src/encoder/onnx/onnx-encoder.ts'
import { readCard } from '../../../../src/model/read-card.ts'
import { BodyTokenizer } from '../../../../src/model/tokenizer/body-tokenizer.ts'
import { exportModel } from '../../../../src/tools/export/export-model.ts'
import {
  PROFILES,
  type Profile,
  profileNamed,
  profileOf,
} from '../../../../src/tools/export/prompts/profiles.ts'
import {
  llama2TokenizerJson,
  SPECIAL_IDS,
  type TokenizerVariant,
} from '../../../fixtures/llama2-tokenizer.ts'
import { LLAMA2_TOKENIZER_CONFIG, llama2Checkpoint } from '../../../fixtures/random-checkpoint.ts'

/** Words of the released prompts in LLaMA-2's ids. */
const EBAE_WORDS = [9162, 19138, 675, 278, 2038, 13382, 2629, 9475, 3838, 29901, 29871]
const EBAR_WORDS = [9162, 8500, 278, 1494, 13382, 2629, 9475, 3838, 29901, 29871]

function freshOut(): string {
  return join(mkdtempSync(join(tmpdir(), 'llara-released-')), 'model')
}

async function exportAs(
  { template, maxBodyTokens, licence, expectedIds }: Profile,
  checkpoint: string,
  out: string,
) {
  const options = { template, maxBodyTokens, licence, expectedIds, precision: 'fp32' as const }
  const card = await exportModel({ ...options, checkpoint, out, source: 'random weights' })
  if (card.kind !== 'encoder') throw new Error(`${card.id} is no encoder`)
  return card
}

describe('the released prompts', () => {
  it('have the ids of the released checkpoints, specials by name', async () => {
    const out = freshOut()
    const card = await exportAs(profileNamed('llara-passage'), llama2Checkpoint(), out)
    const { ebae, ebar } = card.prompts
    expect(ebae.prefixIds).toEqual([1, 376])
    expect(ebar.prefixIds).toEqual([1, 376])
    expect(ebae.suffixIds).toEqual([...EBAE_WORDS, ...SPECIAL_IDS.slice(0, 8)])
    expect(ebar.suffixIds).toEqual([...EBAR_WORDS, ...SPECIAL_IDS.slice(8)])
    expect(card.pooling).toEqual({ kind: 'mean-of-last', tokens: 8 })
    expect(ebae.maxBodyTokens).toBe(512)
    const encoder = await openOnnxEncoder({ modelFolder: out, device: 'cpu' })
    const { tokens, truncated } = await encoder.encode(['a '.repeat(2000)], ['ebae'])
    expect([tokens[0], truncated[0]]).toEqual([2 + 512 + 11 + 8, 1])
    await encoder.close()
  })

  const files: [name: string, variant: TokenizerVariant, config: Record<string, unknown>][] = [
    ['no post-processor', { spaces: 'normalizer', postProcessor: false }, LLAMA2_TOKENIZER_CONFIG],
    [
      'a post-processor alone',
      { spaces: 'normalizer', postProcessor: true },
      { bos_token: '<s>', tokenizer_class: 'PreTrainedTokenizerFast' },
    ],
    [
      'its class alone',
      { spaces: 'normalizer', postProcessor: false },
      { tokenizer_class: 'LlamaTokenizerFast' },
    ],
  ]
  it.each(files)('come out of a tokenizer with %s', async (_, variant, config) => {
    const checkpoint = llama2Checkpoint(config, llama2TokenizerJson(variant))
    const { ebae, ebar } = (await exportAs(profileNamed('llara-beir'), checkpoint, freshOut())).prompts
    expect(ebae).toMatchObject({
      prefixIds: [1, 376],
      suffixIds: [...EBAE_WORDS, ...SPECIAL_IDS.slice(0, 8)],
    })
    expect(ebar).toMatchObject({ prefixIds: [1, 376], suffixIds: [...EBAR_WORDS, ...SPECIAL_IDS.slice(8)] })
  })

  const broken: [name: string, variant: TokenizerVariant, config: Record<string, unknown>, told: RegExp][] = [
    [
      'that puts no space before a text',
      { spaces: 'none', postProcessor: true },
      LLAMA2_TOKENIZER_CONFIG,
      /the ebae prefix as \[1 \d+\], but the model was trained with \[1 376\]/,
    ],
    [
      'that cuts at every space',
      { spaces: 'metaspace-split', postProcessor: true },
      LLAMA2_TOKENIZER_CONFIG,
      /"a {2}the {3}next" as \[263 29871 278 29871 29871 2446\], but .* with \[263 29871 278 259 2446\]/,
    ],
    [
      'that puts no space before a text which has one',
      { spaces: 'metaspace', postProcessor: true },
      LLAMA2_TOKENIZER_CONFIG,
      /" what" as \[825\], but .* with \[29871 825\]/,
    ],
    [
      'that is told to add no BOS',
      { spaces: 'normalizer', postProcessor: true },
      { ...LLAMA2_TOKENIZER_CONFIG, add_bos_token: false },
      /the ebae prefix as \[376\], but/,
    ],
  ]
  it.each(broken)('refuse a tokenizer %s', async (_, variant, config, told) => {
    const out = freshOut()
    const exported = exportAs(
      profileNamed('llara-passage'),
      llama2Checkpoint(config, llama2TokenizerJson(variant)),
      out,
    )
    await expect(exported).rejects.toMatchObject({
      code: 'CHECKPOINT_UNUSABLE',
      message: expect.stringMatching(told),
    })
    expect(existsSync(out)).toBe(false)
  })

  it('refuse special tokens that share an id', async () => {
    const json = JSON.parse(llama2TokenizerJson())
    for (const token of json.added_tokens) if (token.content === '<s3>') token.id = SPECIAL_IDS[0]
    const checkpoint = llama2Checkpoint(LLAMA2_TOKENIZER_CONFIG, JSON.stringify(json))
    await expect(exportAs(profileNamed('llara-passage'), checkpoint, freshOut())).rejects.toThrow(
      /the same id, 32009, to <s3> and to <s1>|the same id, 32009, to <s1> and to <s3>/,
    )
  })
})

describe.each<TokenizerVariant['spaces']>(['normalizer', 'metaspace', 'metaspace-split'])(
  'a text, %s',
  (spaces) => {
    const tokenizer = BodyTokenizer.load(llama2TokenizerJson({ spaces, postProcessor: true }))
    const encode = async (text: string) => [...(await tokenizer.encode([text]))[0]!]

    it('never gives a special token, however it is spelled', async () => {
      const specials = [0, 1, 2, ...SPECIAL_IDS]
      for (const text of ['</s>', '<s>', 'what</s><s1> is <s16>', '<s1><s2></s>', ' </s> ', '<unk>']) {
        const ids = await encode(text)
        expect(ids.length).toBeGreaterThan(2)
        for (const special of specials) expect(ids).not.toContain(special)
      }
    })

    it('gives bytes for what the vocabulary lacks', async () => {
      const bytes = [...Buffer.from('潮🙂')].map((byte) => 3 + byte)
      expect((await encode('潮🙂')).slice(-bytes.length)).toEqual(bytes)
    })
  },
)

describe('RepLLaMA', () => {
  it('has prompts whose parts join to what it was trained on', async () => {
    const out = freshOut()
    const card = await exportAs(profileNamed('repllama-passage'), llama2Checkpoint(), out)
    expect(readCard(out)).toEqual(card)
    expect(card.prompts.ebar).toMatchObject({
      prefixIds: [1, 2346, 29901],
      suffixIds: [2],
      maxBodyTokens: 507,
    })
    expect(card.prompts.ebae).toMatchObject({ prefixIds: [1, 13382, 29901], suffixIds: [2] })
    expect(card.pooling.tokens).toBe(1)
    const tokenizer = BodyTokenizer.load(llama2TokenizerJson())
    for (const text of ['what is a llama', ' what is', '7 llama', 'über: "what"', '  a']) {
      const [joined, body] = await tokenizer.encode([`query: ${text}`, text])
      expect([...joined!]).toEqual([2346, 29901, ...body!])
    }
    const encoder = await openOnnxEncoder({ modelFolder: out, device: 'cpu' })
    const { tokens, truncated } = await encoder.encode(['what', 'a '.repeat(2000)], ['ebar', 'ebae'])
    const [body] = await tokenizer.encode(['what'])
    expect([...tokens]).toEqual([2 * (3 + body!.length + 1), 2 * (3 + 507 + 1)])
    expect([...truncated]).toEqual([0, 1])
    await encoder.close()
  })
})

describe('a profile', () => {
  it('is found by its repository, however it is written, or by its name', () => {
    expect(profileOf('baai/LLARA-PASSAGE')?.name).toBe('llara-passage')
    expect(profileNamed('Castorini/RepLLaMA-v1-7b-LoRA-doc').maxBodyTokens).toBe(2043)
    expect(profileOf('BAAI/other')).toBeUndefined()
    expect(() => profileNamed('other')).toThrow(/There is no profile other; there are llara-passage, /)
  })

  it('is whole', () => {
    expect(PROFILES.map(({ name }) => name)).toEqual([
      'llara-passage',
      'llara-beir',
      'llara-document',
      'llara-pretrain',
      'repllama-passage',
      'repllama-doc',
      'rankllama-passage',
      'rankllama-doc',
    ])
    for (const { licence, base, notes } of PROFILES) expect([licence, base, notes]).not.toContain('')
  })
})
