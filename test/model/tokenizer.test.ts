import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { BodyTokenizer } from '../../src/model/tokenizer/body-tokenizer.ts'
import { StableCuts } from '../../src/model/tokenizer/stable-cuts.ts'
import { byteLevelLike, llama2Like, mixedTexts } from './tokenizer-fixtures.ts'

const checkpoints = new URL('../fixtures/checkpoints/', import.meta.url)
const fixture = readFileSync(new URL('gqa-released/tokenizer.json', checkpoints))
const wordPiece = readFileSync(new URL('bias-paper/tokenizer.json', checkpoints))

const TOKENIZERS = {
  'LLaMA-2 style': llama2Like(),
  'byte-level style': byteLevelLike(),
  'released template fixture': fixture.toString(),
  'WordPiece fixture': wordPiece.toString(),
}

const SPELLINGS = [
  '</s>',
  '<s>',
  '<s1>',
  'a</s>',
  ' </s> ',
  '<s>x',
  'a <s1> b',
  '<s><s1></s>',
  '\n<s1>\n',
  '</S>',
]

describe.each(Object.entries(TOKENIZERS))('%s', (_, json) => {
  const tokenizer = BodyTokenizer.load(json)
  const specials = (JSON.parse(json).added_tokens as { id: number; content: string }[]).filter(
    ({ content }) => !['<unk>', '[UNK]'].includes(content),
  )

  test('text never becomes a special token', async () => {
    const ids = await tokenizer.encode([...SPELLINGS, ...specials.map(({ content }) => content)])
    const special = new Set(specials.map(({ id }) => id))
    for (const row of ids) {
      expect(row.length).toBeGreaterThan(0)
      expect([...row].filter((id) => special.has(id))).toEqual([])
    }
  })

  test('knows the special ids by content', () => {
    for (const { id, content } of specials) expect(tokenizer.specialId(content)).toBe(id)
    expect(tokenizer.specialId('the')).toBeUndefined()
  })

  test('adds nothing around the text and cuts and pads nothing', async () => {
    const [one, twice, long] = await tokenizer.encode(['x', 'xx', 'x'.repeat(50)])
    expect(twice!.length - one!.length).toBe(1)
    expect(long!.length - one!.length).toBe(49)
  })

  test.each([1, 7, 64])('the first %i tokens are those of the whole text', async (tokensMax) => {
    const texts = [...mixedTexts(150)]
    const whole = await tokenizer.encode(texts)
    const starts = await tokenizer.encodeStart(texts, tokensMax)
    starts.forEach(({ ids, truncated }, i) => {
      expect([...ids]).toEqual([...whole[i]!.slice(0, tokensMax)])
      expect(truncated).toBe(whole[i]!.length > tokensMax)
    })
  })

  test('a text of exactly the limit is not truncated', async () => {
    const [whole] = await tokenizer.encode(['the quick one on the inn'])
    const [start] = await tokenizer.encodeStart(['the quick one on the inn'], whole!.length)
    expect(start!.truncated).toBe(false)
    expect(start!.ids).toEqual(whole)
  })

  test('a huge text costs no more than its start', async () => {
    const [huge] = await tokenizer.encodeStart(['the quick one on the inn. '.repeat(100_000)], 100)
    expect(huge!.ids.length).toBe(100)
    expect(huge!.truncated).toBe(true)
  })

  test('a huge text without a space is tokenised all the same', async () => {
    const [huge] = await tokenizer.encodeStart(['x'.repeat(50_000)], 100)
    expect(huge).toMatchObject({ ids: { length: 100 }, truncated: true })
  })
})

describe.each(Object.entries(TOKENIZERS))('%s takes any string', (_, json) => {
  const tokenizer = BodyTokenizer.load(json)

  test('an empty one has no tokens, also among others', async () => {
    const empty = { ids: new Uint32Array(0), truncated: false }
    expect(await tokenizer.encodeStart([''], 8)).toEqual([empty])
    const [first, word, last] = await tokenizer.encodeStart(['', 'the', ''], 8)
    expect([first, last]).toEqual([empty, empty])
    expect(word!.ids.length).toBeGreaterThan(0)
    // From five texts on the library gets them as one batch.
    const many = await tokenizer.encodeStart(['', 'a', '', 'b', '', 'c'], 8)
    expect(many.map(({ ids }) => ids.length === 0)).toEqual([true, false, true, false, true, false])
  })

  test('white space of any length comes to an end', async () => {
    const blanks = [' ', '\n\t \u00a0', ' '.repeat(100_000), '\n'.repeat(100_000)]
    const starts = await tokenizer.encodeStart(blanks, 8)
    const whole = await tokenizer.encode(blanks)
    starts.forEach(({ ids, truncated }, i) => {
      expect([...ids]).toEqual([...whole[i]!.slice(0, 8)])
      expect(truncated).toBe(whole[i]!.length > 8)
    })
  })

  test('half a surrogate pair becomes U+FFFD', async () => {
    const broken = ['\ud83d', 'a\ud83d b', 'a \ude42']
    const repaired = broken.map((text) => text.replace(/\p{Surrogate}/u, '\ufffd'))
    expect(await tokenizer.encodeStart(broken, 8)).toEqual(await tokenizer.encodeStart(repaired, 8))
  })
})

test('ids a prompt reserves are kept from text although the file does not mark them', async () => {
  const json = JSON.parse(llama2Like())
  json.added_tokens[3].special = false
  const open = BodyTokenizer.load(JSON.stringify(json))
  const closed = BodyTokenizer.load(JSON.stringify(json), [3])
  expect([...(await open.encode(['a <s1> b']))[0]!]).toContain(3)
  expect([...(await closed.encode(['a <s1> b']))[0]!]).not.toContain(3)
})

test('merge dropout of training is off', async () => {
  const json = JSON.parse(llama2Like())
  json.model.dropout = 0.9
  const [dropped] = await BodyTokenizer.load(JSON.stringify(json)).encode(['the then quick'])
  const [plain] = await BodyTokenizer.load(llama2Like()).encode(['the then quick'])
  expect(dropped).toEqual(plain)
})

test.each([
  ['not JSON', '{', /not JSON/],
  ['another kind of model', '{"model":{"type":"Unigram","vocab":[],"merges":[]}}', /Unigram/],
  [
    'a merge of unknown pieces',
    '{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}',
    /cannot be read/,
  ],
])('%s is refused with a reason', (_, json, message) => {
  expect(() => BodyTokenizer.load(json)).toThrow(expect.objectContaining({ code: 'MODEL_UNUSABLE' }))
  expect(() => BodyTokenizer.load(json)).toThrow(message)
})

describe('where a text may be cut early', () => {
  const cuts = (json: string) => {
    const { betweenWords, afterStops } = new StableCuts(JSON.parse(json))
    return { betweenWords, afterStops }
  }

  test('is known for the common styles', () => {
    for (const json of Object.values(TOKENIZERS)) {
      expect(cuts(json)).toEqual({ betweenWords: true, afterStops: true })
    }
  })

  test.each([
    ['a word and a space', 'n▁t', { betweenWords: false, afterStops: true }],
    ['a stop', 'x。t', { betweenWords: true, afterStops: false }],
  ])('is not where a piece spans %s', (_, piece, expected) => {
    const json = JSON.parse(llama2Like())
    json.model.vocab[piece] = 9_999
    expect(cuts(JSON.stringify(json))).toEqual(expected)
  })

  test.each([
    ['a word and a space', 'nĠt', { betweenWords: false, afterStops: true }],
    ['a stop from its start', 'xãĢĤæ', { betweenWords: true, afterStops: false }],
    ['a stop from its last byte', 'Ĥæ', { betweenWords: true, afterStops: false }],
  ])('is not where a byte-level piece spans %s', (_, piece, expected) => {
    const json = JSON.parse(byteLevelLike())
    json.model.vocab[piece] = 9_999
    expect(cuts(JSON.stringify(json))).toEqual(expected)
  })

  test('is nowhere when a step is not known', () => {
    const nowhere = { betweenWords: false, afterStops: false }
    expect(cuts(llama2Like({ normalizer: { type: 'Precompiled' } }))).toEqual(nowhere)
    const split = { type: 'Split', pattern: { Regex: '\\w+ \\w+' }, behavior: 'Isolated' }
    expect(cuts(byteLevelLike({ pre_tokenizer: split }))).toEqual(nowhere)
  })

  test('lies close to the limit, in either kind of script', () => {
    const stable = new StableCuts(JSON.parse(llama2Like()))
    expect(stable.prefixLength('the quick one on the inn', 12)).toBe(9)
    expect(stable.prefixLength('東京は今日も雨。明日は晴れるだろう。', 12)).toBe(8)
    expect(stable.prefixLength('x'.repeat(50), 12)).toBeUndefined()
    expect(stable.prefixLength('short', 12)).toBe(5)
    expect(stable.prefixLength('', 12)).toBe(0)
  })
})
