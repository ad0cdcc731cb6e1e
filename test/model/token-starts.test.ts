import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { BodyTokenizer } from '../../src/model/tokenizer/body-tokenizer.ts'
import { LLAMA3_SPLIT } from '../../src/model/tokenizer/stable-cuts.ts'
import { byteLevelLike, llama2Like } from './tokenizer-fixtures.ts'

const bundled = readFileSync(new URL('../../models/llara-mini/tokenizer.json', import.meta.url), 'utf8')
const llama3 = {
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: LLAMA3_SPLIT }, behavior: 'Isolated', invert: false },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
  ],
}
const TOKENIZERS = {
  'the bundled WordPiece': bundled,
  'WordPiece that keeps case and accents': with_(bundled, (json) => {
    json.normalizer = { ...json.normalizer, strip_accents: false, lowercase: false }
  }),
  'LLaMA-2 style': withRuns(llama2Like(), '▁'),
  'LLaMA-2 style with Metaspace': withRuns(
    llama2Like({
      normalizer: null,
      pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false },
    }),
    '▁',
  ),
  'GPT-2 style': withRuns(byteLevelLike(), 'Ġ'),
  'LLaMA-3 style': withRuns(byteLevelLike({ pre_tokenizer: llama3 }), 'Ġ'),
  'LLaMA-3 style with NFC': withRuns(
    byteLevelLike({ pre_tokenizer: llama3, normalizer: { type: 'NFC' } }),
    'Ġ',
  ),
  'LLaMA-3 style that takes whole words': with_(
    withRuns(byteLevelLike({ pre_tokenizer: llama3 }), 'Ġ'),
    (json) => {
      json.model.ignore_merges = true
    },
  ),
}

/** Merges in chains and cycles, where the last character of a run decides how its beginning is read. */
function withRuns(text: string, space: string): string {
  return with_(text, (json) => {
    const runs = ['a a', 'aa a', 'aaa aa', 'b c', 'a b', 'c a', 'ca b', '! !', '!! !!', '! ?', '1 1', '1 2']
    runs.push(
      `${space} a`,
      `${space}${space} ${space}`,
      `${space}a a`,
      'd e',
      'c d',
      'b cd',
      'cd e',
      'ab cde',
    )
    for (const merge of runs) {
      const piece = merge.replace(' ', '')
      json.model.vocab[piece] ??= Object.keys(json.model.vocab).length
      json.model.merges.push(merge)
    }
  })
}

// biome-ignore lint/suspicious/noExplicitAny: a tokenizer.json is edited as it lies
function with_(text: string, edit: (json: any) => void): string {
  const json = JSON.parse(text)
  edit(json)
  return JSON.stringify(json)
}

const PIECES = [
  ...['a', 'b', 'c', 'd', 'e', 'abc', 'abcde', 'cab', 'the', '1', '12', '!', '?', '!?', "'s", "'", ' ', '  '],
  ...['\n', '\r\n', '\t', '東', '東京。', 'สวัสดี', '\u200b', '\u00ad', '\u0301', '\u0327', 'é', 'ﬁ', 'İ', 'ς'],
  ...[
    '😀',
    '👨‍👩‍👧',
    '\ufe0f',
    '\ud83d',
    '\ude42',
    '가',
    'ᄀ',
    'ᅡ',
    '\u00a0',
    '\u3000',
    '。',
    '(',
    '<s1>',
    '\0',
  ],
]

/** Texts of runs and of mixtures, some of one piece alone, the same on every run. */
function uglyTexts(count: number): string[] {
  let state = 7
  const next = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const piece = () => PIECES[next(PIECES.length)]!
  return Array.from({ length: count }, (_, i) => {
    if (i < PIECES.length) return PIECES[i]!.repeat(900)
    const few = [piece(), piece(), piece()]
    const parts = Array.from({ length: 1 + next(60) }, () => {
      const one = next(3) > 0 ? few[next(3)]! : piece()
      return one.repeat(next(4) > 0 ? 1 + next(3) : next(150))
    })
    return parts.join('')
  })
}

describe.each(Object.entries(TOKENIZERS))('%s', (_, json) => {
  const tokenizer = BodyTokenizer.load(json)
  const texts = uglyTexts(160)

  test('the first tokens of an ugly text are those of the whole', async () => {
    const whole = await tokenizer.encode(texts)
    for (const tokensMax of [1, 5, 60]) {
      const starts = await tokenizer.encodeStart(texts, tokensMax)
      for (const [i, { ids, truncated }] of starts.entries()) {
        expect([...ids], JSON.stringify(texts[i])).toEqual([...whole[i]!.slice(0, tokensMax)])
        expect(truncated).toBe(whole[i]!.length > tokensMax)
      }
    }
  })
})

describe('a word longer than WordPiece reads', () => {
  const tokenizer = BodyTokenizer.load(bundled)
  const unknown = (JSON.parse(bundled).model.vocab as Record<string, number>)['[UNK]']!
  const ids = async (text: string) => [...(await tokenizer.encode([text]))[0]!]

  test('is read in words of that length', async () => {
    const digest = Array.from({ length: 250 }, (_, i) => ((i * 7) % 16).toString(16)).join('')
    const parts = [digest.slice(0, 100), digest.slice(100, 200), digest.slice(200)]
    expect(await ids(digest)).toEqual((await Promise.all(parts.map(ids))).flat())
    expect(await ids(digest)).not.toContain(unknown)
    expect(await ids(`see ${digest}.`)).toEqual([
      ...(await ids('see')),
      ...(await ids(digest)),
      ...(await ids('.')),
    ])
  })

  test('is cut around what the vocabulary lacks, as in llara_train', async () => {
    const [start, end] = ['digest'.repeat(10), 'walking'.repeat(10)]
    const parts = [...(await ids(start)), unknown, ...(await ids(end))]
    expect(await ids(`${start}🦜🦚${end}`)).toEqual(parts)
    expect(parts.slice(0, 4)).toEqual([17886, 4305, 8449, 2102])
    // A word of just the length is read as BERT reads it.
    expect(await ids(`${'a'.repeat(99)}🦜`)).toEqual([unknown])
    expect(await ids('🦜'.repeat(101))).toEqual([unknown, unknown])
  })

  test('counts after normalising, and one of just that length is one word', async () => {
    const accented = 'e\u0301'.repeat(100)
    expect(await ids(accented)).toEqual(await ids('e'.repeat(100)))
    expect(await ids(`${accented}e`)).toEqual([...(await ids('e'.repeat(100))), ...(await ids('e'))])
  })
})
