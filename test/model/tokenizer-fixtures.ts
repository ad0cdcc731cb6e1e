/** Small tokenizer.json files in the two styles LLaMA checkpoints come in. */

const ASCII = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))

const SPECIALS = [
  { id: 0, content: '<unk>', special: true, normalized: false },
  { id: 1, content: '<s>', special: true, normalized: true, rstrip: true },
  { id: 2, content: '</s>', special: true, normalized: true, lstrip: true },
  { id: 3, content: '<s1>', special: true, normalized: false, single_word: true },
]

/** Merges that give words and, in bad faith, spell the special tokens. */
const WORD_MERGES = [
  't h',
  'th e',
  'q u',
  'i n',
  'o n',
  'a n',
  '< /',
  '</ s',
  '</s >',
  '< s',
  '<s >',
  '<s 1',
  '<s1 >',
]

function vocabulary(pieces: readonly string[]): Record<string, number> {
  const vocab: Record<string, number> = {}
  for (const { content, id } of SPECIALS) vocab[content] = id
  for (const piece of pieces) vocab[piece] ??= Object.keys(vocab).length
  return vocab
}

const results = (merges: readonly string[]) => merges.map((merge) => merge.replace(' ', ''))

/** LLaMA 2: no pre-tokeniser, `▁` for a space, one put before the text, bytes for unknown characters. */
export function llama2Like(changes: object = {}): string {
  const merges = ['▁ t', '▁t h', '▁th e', '▁ a', '▁ ▁', '▁▁ ▁▁', '▁ <', ...WORD_MERGES]
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`)
  const chars = ASCII.filter((char) => char !== ' ')
  return JSON.stringify({
    version: '1.0',
    truncation: { direction: 'Right', max_length: 4, strategy: 'LongestFirst', stride: 0 },
    padding: null,
    added_tokens: SPECIALS.map((token) => ({ single_word: false, lstrip: false, rstrip: false, ...token })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
    },
    decoder: null,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
      vocab: vocabulary([...bytes, '▁', ...chars, ...results(merges)]),
      merges,
    },
    ...changes,
  })
}

/** GPT-2 and LLaMA 3: bytes as characters, `Ġ` for a space. */
export function byteLevelLike(changes: object = {}): string {
  const merges = ['Ġ t', 'Ġt h', 'Ġth e', 'Ġ a', 'Ġ Ġ', 'Ċ Ġ', '. Ċ', 'Ġ <', ...WORD_MERGES]
  const printable = (byte: number) =>
    (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte < 0xad) || byte > 0xad
  let spare = 0x100
  const bytes = Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(printable(byte) ? byte : spare++),
  )
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: { strategy: { Fixed: 8 }, direction: 'Right', pad_id: 0, pad_type_id: 0, pad_token: '<unk>' },
    added_tokens: SPECIALS.map((token) => ({ single_word: false, lstrip: false, rstrip: false, ...token })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: null,
    model: { type: 'BPE', unk_token: null, vocab: vocabulary([...bytes, ...results(merges)]), merges },
    ...changes,
  })
}

/** Words, marks, scripts and runs of space in an order that is the same on every run. */
export function* mixedTexts(count: number): Generator<string> {
  const parts = [
    'the',
    'quick',
    'on',
    '42',
    '3.14',
    'then,',
    '(in)',
    'naïve',
    '東京',
    '東京。京東、',
    '。」',
    'か\u3099。ﾞ',
    '🙂',
    'e\u0301',
    'ﬁ',
    '</s>',
    'x'.repeat(40),
    ' ',
    '  ',
    '    ',
    '\n',
    ' \n ',
    '\t',
    '\u00a0',
    '.',
    '...',
    '-',
    '\u0085',
    '¨',
    '\u200b',
  ]
  let state = 1
  const next = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  for (let i = 0; i < count; i++) {
    const words = Array.from(
      { length: 1 + next(120) },
      () => parts[next(parts.length)]! + (next(3) ? ' ' : ''),
    )
    yield words.join('')
  }
}
