import { Tokenizer } from 'tokenizers'
import { describe, expect, test } from 'vitest'
import { BodyTokenizer } from '../../src/model/tokenizer/body-tokenizer.ts'
import { llama2TokenizerJson, SPECIAL_IDS, VOCABULARY_SIZE } from '../fixtures/llama2-tokenizer.ts'
import { byteLevelLike, llama2Like } from './tokenizer-fixtures.ts'

interface Added {
  id: number
  content: string
  single_word?: boolean
  lstrip?: boolean
  rstrip?: boolean
  normalized?: boolean
  special?: boolean
}

/** A tokenizer.json with tokens that are not special behind those it has; `place` says where they stand in the list. */
function withAdded(json: string, added: readonly Added[], place: 'last' | 'first' = 'last'): string {
  const file = JSON.parse(json)
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false }
  const whole = added.map((token) => ({ ...plain, ...token }))
  file.added_tokens = place === 'last' ? [...file.added_tokens, ...whole] : [...whole, ...file.added_tokens]
  return JSON.stringify(file)
}

/** With a piece for every id below the added ones, as LLaMA-2 has it: the library numbers these as the file does. */
function complete(json: string): string {
  const file = JSON.parse(json)
  const taken = new Set(Object.values<number>(file.model.vocab))
  for (let id = 0; id < 32_000; id++) if (!taken.has(id)) file.model.vocab[`unused ${id}`] = id
  return JSON.stringify(file)
}

async function encode(json: string, text: string): Promise<number[]> {
  return [...(await BodyTokenizer.load(json).encode([text]))[0]!]
}

const SIZE = VOCABULARY_SIZE
const BIOMARKERS: Added[] = [
  { id: SIZE, content: 'biomarker', normalized: true },
  { id: SIZE + 1, content: 'HbA1c', normalized: true },
]

describe('added tokens that are not special', () => {
  test('keep their ids behind special ones that are taken out', async () => {
    const json = withAdded(llama2TokenizerJson(), BIOMARKERS)
    expect(await encode(json, 'biomarker')).toEqual([SIZE])
    const ids = await encode(json, 'what is a biomarker HbA1c <s9> biomarker')
    expect(ids.filter((id) => id >= SIZE)).toEqual([SIZE, SIZE + 1, SIZE])
    for (const special of [0, 1, 2, ...SPECIAL_IDS]) expect(ids).not.toContain(special)
  })

  test.each(['biomarker', 'a biomarker, HbA1c.', ' HbA1c', 'xbiomarkery', 'the biomarkerHbA1c 潮'])(
    'have the ids that the library gives with the whole file: %j',
    async (text) => {
      const json = withAdded(complete(llama2TokenizerJson()), BIOMARKERS)
      const whole = await Tokenizer.fromString(json).encode(text, null, { addSpecialTokens: false })
      expect(await encode(json, text)).toEqual(whole.getIds())
    },
  )

  const FLAGS: [flags: Partial<Added>, texts: string[]][] = [
    [{}, ['a tab b', 'atabb', 'a  tab  b', 'tab']],
    [{ single_word: true }, ['a tab b', 'atabb', 'a tab, b', '(tab)', 'tabs']],
    [{ lstrip: true }, ['a  tab  b', 'a\ttab b', 'tab']],
    [{ rstrip: true }, ['a  tab  b', 'a tab\n\nb', 'tab ']],
    [{ lstrip: true, rstrip: true, single_word: true }, ['a  tab  b', 'atab b', ' tab ']],
    [{ normalized: true }, ['a tab b', 'atabb', 'tab', ' tab']],
  ]
  for (const [style, base] of Object.entries({ 'LLaMA-2': llama2Like(), 'byte-level': byteLevelLike() })) {
    test.each(FLAGS)(`are matched as the library does, ${style} style: %j`, async (flags, texts) => {
      const file = JSON.parse(base)
      // Complete, so that the library's own numbers are the file's.
      const end = Math.max(...Object.values<number>(file.model.vocab)) + 1
      const json = withAdded(base, [{ id: end, content: 'tab', ...flags }])
      const whole = Tokenizer.fromString(
        JSON.stringify({ ...JSON.parse(json), truncation: null, padding: null }),
      )
      for (const text of texts) {
        const right = await whole.encode(text, null, { addSpecialTokens: false })
        expect(await encode(json, text)).toEqual(right.getIds())
      }
    })
  }
})

describe('the file decides the ids', () => {
  const base = llama2Like()
  const end = Math.max(...Object.values<number>(JSON.parse(base).model.vocab)) + 1

  test('in any order', async () => {
    const added = [
      { id: end + 1, content: 'XX' },
      { id: end, content: 'YY' },
    ]
    for (const place of ['first', 'last'] as const) {
      const ids = await encode(withAdded(base, added, place), 'XXYYXX')
      expect(ids).toEqual([end + 1, end, end + 1])
    }
  })

  test('with gaps', async () => {
    const added = [
      { id: end + 5, content: 'XX' },
      { id: end + 1000, content: 'YY' },
    ]
    expect(await encode(withAdded(base, added), 'YYXX')).toEqual([end + 1000, end + 5])
  })

  test('below the size of the vocabulary, where it has a gap', async () => {
    const file = JSON.parse(base)
    const gap = file.model.vocab['Z']
    delete file.model.vocab['Z']
    const json = withAdded(JSON.stringify(file), [{ id: gap, content: 'XX' }])
    const [plain, ids] = [await encode(base, 'the quick inn'), await encode(json, 'the quick innXX')]
    expect(ids).toEqual([...plain, gap])
  })

  test('where the vocabulary has gaps below tokens behind it', async () => {
    const file = JSON.parse(base)
    for (const piece of ['X', 'Y', 'Z']) delete file.model.vocab[piece]
    const json = withAdded(JSON.stringify(file), [{ id: end, content: 'WW' }])
    const all = [...Object.keys(file.model.vocab)].filter((piece) => piece.length === 1).join('')
    const ids = await encode(json, `${all}WW`)
    expect(ids.filter((id) => id === end)).toHaveLength(1)
    expect(ids.at(-1)).toBe(end)
    expect(await encode(json, all)).toEqual(await encode(JSON.stringify(file), all))
  })

  test('for a token that is listed twice', async () => {
    const json = withAdded(base, [
      { id: end, content: 'XX' },
      { id: end, content: 'XX' },
      { id: end + 1, content: 'YY' },
    ])
    expect(await encode(json, 'YYXX')).toEqual([end + 1, end])
  })

  test('for a token that is a vocabulary piece too', async () => {
    const id = JSON.parse(base).model.vocab['the']
    const json = withAdded(base, [
      { id, content: 'the' },
      { id: end, content: 'XX' },
    ])
    expect(await encode(json, 'theXX')).toEqual([id, end])
  })

  test('and no text reaches what makes room for them', async () => {
    const json = withAdded(base, [{ id: end + 9, content: 'XX' }])
    const known = new Set([...Object.values<number>(JSON.parse(base).model.vocab), end + 9])
    for (let id = end - 8; id < end + 16; id++) {
      for (const seen of await encode(json, `filler ${id} XX filler ${id}`)) expect(known).toContain(seen)
    }
  })
})
