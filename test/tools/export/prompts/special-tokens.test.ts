import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BodyTokenizer } from '../../../../src/model/tokenizer/body-tokenizer.ts'
import { beginningOfSequence, padId } from '../../../../src/tools/export/prompts/special-tokens.ts'
import { tokenIds } from '../../../../src/tools/export/tokenizer/token-ids.ts'
import { checkpointFolder } from '../../../fixtures/tiny-model.ts'
import { CopiedCheckpoint } from '../copied-checkpoint.ts'
import { readGolden } from '../tiny-onnx.ts'

const tokenizerJson = readFileSync(join(checkpointFolder('gqa-released'), 'tokenizer.json'), 'utf8')
const ids = tokenIds(tokenizerJson)

describe('the eight special tokens of a side', () => {
  it('are looked up by name, in the order of their names', async () => {
    const card = await new CopiedCheckpoint('gqa-released').export({ template: 'released' })
    const named = (from: number) => Array.from({ length: 8 }, (_, i) => ids.get(`<s${from + i}>`))
    expect(card.prompts.ebae.suffixIds.slice(-8)).toEqual(named(1))
    expect(card.prompts.ebar.suffixIds.slice(-8)).toEqual(named(9))
    // The fixture's ids are scrambled; sorted ones would not show a mix-up.
    expect(named(1)).not.toEqual([...named(1)].sort())
  })

  it('never come out of a text that spells them', async () => {
    const body = BodyTokenizer.load(tokenizerJson)
    const [tokens] = await body.encode(['</s> <s1><s9><s16> <s> <unk> </s>'])
    const specials = ['</s>', '<s>', '<unk>', ...Array.from({ length: 16 }, (_, i) => `<s${i + 1}>`)]
    for (const special of specials) expect(tokens).not.toContain(ids.get(special))
  })

  it('leave a text that spells them with the vector transformers gives its bytes', () => {
    const golden = readGolden('gqa-released')
    const spelled = golden.texts.findIndex((text) => text.includes('<s1>'))
    expect(golden.body_ids[spelled]).not.toContain(ids.get('<s1>'))
  })
})

describe('the BOS', () => {
  const bos = (config: Record<string, unknown>, processor: unknown) => {
    const json = JSON.stringify({ ...JSON.parse(tokenizerJson), post_processor: processor })
    return beginningOfSequence({ tokenizerJson: json, tokenizerConfig: { bos_token: '<s>', ...config } }, ids)
  }
  const single = (id: string) => ({
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  })

  it('is what tokenizer_config.json states', () => {
    expect(bos({ add_bos_token: true }, null)).toEqual({ token: '<s>', id: 1 })
    expect(bos({ add_bos_token: false }, single('<s>'))).toBeUndefined()
    expect(bos({ add_bos_token: true, bos_token: { content: '<s>' } }, null)?.id).toBe(1)
  })

  it('else what the post-processor puts first', () => {
    expect(bos({}, single('<s>'))?.id).toBe(1)
    expect(bos({}, { type: 'Sequence', processors: [{ type: 'ByteLevel' }, single('<s>')] })?.id).toBe(1)
    expect(bos({}, single('</s>'))).toBeUndefined()
    expect(bos({ tokenizer_class: 'PreTrainedTokenizerFast' }, null)).toBeUndefined()
  })

  it('else what the class of a LLaMA tokenizer does', () => {
    expect(bos({ tokenizer_class: 'LlamaTokenizer' }, null)?.id).toBe(1)
    expect(bos({ tokenizer_class: 'LlamaTokenizer', bos_token: null }, null)).toBeUndefined()
  })
})

it('pads with the pad token, else the EOS, else id 0, and never outside the vocabulary', () => {
  const pad = (rawConfig: Record<string, unknown>, tokenizerConfig: Record<string, unknown>) =>
    padId({ rawConfig, tokenizerConfig }, ids, 316)
  expect(pad({ pad_token_id: 7 }, { pad_token: '<s3>' })).toBe(7)
  expect(pad({ pad_token_id: -1 }, { pad_token: '<s3>' })).toBe(ids.get('<s3>'))
  expect(pad({ pad_token_id: 316 }, { eos_token: '</s>' })).toBe(2)
  expect(pad({}, {})).toBe(0)
})
