import { describe, expect, it } from 'vitest'
import { EXACT, sentencePieceIds } from '../../../fixtures/sentencepiece.ts'
import { ModelOnlyCheckpoint } from './model-only.ts'

/** Ids of pieces of the fixture `llama`: its last is 419, so an added token's first is 420. */
const END = 420

describe('a checkpoint with tokenizer.model alone', () => {
  it.each(EXACT)('gives the ids of SentencePiece: %s', async (name) => {
    const checkpoint = new ModelOnlyCheckpoint(name)
    await checkpoint.export()
    const rows = sentencePieceIds(name)
    const found = await checkpoint.encode(rows.map(({ text }) => text))
    rows.forEach(({ text, ids }, i) => {
      expect({ text, ids: found[i] }).toEqual({ text, ids })
    })
    expect(checkpoint.notes).toContain('tokenizer.json is made from tokenizer.model')
  })

  it('has the BOS and EOS of its class and its model', async () => {
    const checkpoint = new ModelOnlyCheckpoint()
    const { ebae } = (await checkpoint.export()).prompts
    expect(ebae.prefixIds).toEqual([1])
    expect(ebae.suffixIds.at(-1)).toBe(2)
    const without = new ModelOnlyCheckpoint('llama', { add_bos_token: false })
    expect((await without.export()).prompts.ebae.prefixIds).toEqual([])
  })

  it('has the prompt words as SentencePiece cuts them apart from the text', async () => {
    const checkpoint = new ModelOnlyCheckpoint()
    const { ebae } = (await checkpoint.export()).prompts
    const [words] = await checkpoint.encode([' The original sentence: '])
    expect(ebae.suffixIds).toEqual([...words!, 2])
  })

  const LLARA = Object.fromEntries(
    Array.from({ length: 16 }, (_, i) => [`<s${i + 1}>`, END + ((i * 5) % 16)]),
  )

  it('has the added tokens of added_tokens.json, in any order', async () => {
    const checkpoint = new ModelOnlyCheckpoint()
      .write('added_tokens.json', { biomarker: END + 16, ...LLARA })
      .write('special_tokens_map.json', { additional_special_tokens: Object.keys(LLARA), pad_token: '<unk>' })
    const { ebae, ebar } = (await checkpoint.export({ template: 'released' })).prompts
    expect([...ebae.suffixIds.slice(-8), ...ebar.suffixIds.slice(-8)]).toEqual(Object.values(LLARA))
    const [ids] = await checkpoint.encode(['a biomarker <s3>'])
    expect(ids).toContain(END + 16)
    expect(ids!.filter((id) => id >= END)).toEqual([END + 16])
  })

  it('has those of added_tokens_decoder, with their flags', async () => {
    const flags = { lstrip: true, rstrip: false, single_word: true, normalized: true, special: false }
    const decoder = {
      [END + 3]: { content: 'assay', ...flags },
      [END]: { content: '<pad>', special: true },
      [END + 1]: { content: 'HbA1c', special: false },
    }
    const checkpoint = new ModelOnlyCheckpoint('llama', { added_tokens_decoder: decoder })
    // The decoder is what counts where both are there.
    checkpoint.write('added_tokens.json', { HbA1c: 7 })
    await checkpoint.export()
    const [word, inside, spaces, pad, two] = await checkpoint.encode([
      'assay',
      'assays',
      'a  assay',
      '<pad>',
      'aHbA1cb',
    ])
    expect(word).toEqual([END + 3])
    expect(inside).not.toContain(END + 3)
    const [a] = await checkpoint.encode(['a'])
    expect(spaces).toEqual([...a!, END + 3])
    expect(pad).not.toContain(END)
    expect(two).toContain(END + 1)
  })

  it('gives a special token that is only named the next id, or that of its piece', async () => {
    const checkpoint = new ModelOnlyCheckpoint('llama', {
      mask_token: '<mask>',
      pad_token: { content: '</s>' },
    })
    await checkpoint.export()
    const added = JSON.parse(checkpoint.tokenizerJson).added_tokens as { id: number; content: string }[]
    expect(added.map(({ id, content }) => [id, content])).toEqual([
      [0, '<unk>'],
      [1, '<s>'],
      [2, '</s>'],
      [END, '<mask>'],
    ])
  })
})

describe('a tokenizer.model is refused', () => {
  it.each([
    ['that is a Unigram model', 'unigram', /tokenizer\.model is a Unigram model; BPE is supported/],
    ['that changes characters', 'lowercased', /changes characters before it cuts/],
    ['with pieces that are never cut', 'user-defined', /has a user-defined piece, <sep>/],
  ])('%s', async (_, name, message) => {
    const checkpoint = new ModelOnlyCheckpoint(name)
    await expect(checkpoint.export()).rejects.toMatchObject({
      code: 'CHECKPOINT_UNUSABLE',
      message: expect.stringMatching(message),
    })
    expect(checkpoint.written).toBe(false)
  })

  it.each([
    [
      'a list of Tiktoken ranks',
      'IQ== 0\nIg== 1\n',
      /not a SentencePiece model but a list of Tiktoken ranks/,
    ],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n', /a Git LFS pointer/],
    ['empty', '', /not a SentencePiece model/],
    ['cut off', new Uint8Array([10, 200, 1, 10]), /not a SentencePiece model/],
  ])('that is %s', async (_, content, message) => {
    const checkpoint = new ModelOnlyCheckpoint().write('tokenizer.model', content)
    await expect(checkpoint.export()).rejects.toThrow(message)
  })

  it.each([
    ['another class', { tokenizer_class: 'GemmaTokenizer' }, {}, /names the class GemmaTokenizer/],
    ['no space before a text', { add_prefix_space: false }, {}, /add_prefix_space/],
    ['options of its own', { sp_model_kwargs: { enable_sampling: true } }, {}, /sp_model_kwargs/],
    ['words added under legacy false', { legacy: false }, { assay: END }, /legacy false and adds assay/],
    ['an id that is none', {}, { assay: -1 }, /gives -1 as an id in added_tokens\.json/],
    ['an id that is taken', {}, { assay: 300 }, /the same id, 300, to /],
    ['an id beyond the model', {}, { assay: 32_016 }, /Token id 32016 lies outside/],
  ])('whose other files say %s', async (_, config, added, message) => {
    const checkpoint = new ModelOnlyCheckpoint('llama', config).write('added_tokens.json', added)
    await expect(checkpoint.export()).rejects.toThrow(message)
  })

  it('no sooner than its prompts are known: their own tokens may be added under legacy false', async () => {
    const specials = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`<s${i + 1}>`, END + i]))
    const checkpoint = new ModelOnlyCheckpoint('llama', { legacy: false }).write(
      'added_tokens.json',
      specials,
    )
    expect((await checkpoint.export({ template: 'released' })).prompts.ebae.suffixIds.slice(-8)).toEqual(
      Object.values(specials).slice(0, 8),
    )
  })
})
