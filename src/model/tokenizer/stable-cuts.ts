import type { Step, TokenizerJson } from './tokenizer-json.ts'

/**
 * Places where a text may be cut so that the first part has the same tokens alone as it has in the whole. Merges
 * are local: when no vocabulary entry spans such a place, none can cross it. What is not known to keep this, in the
 * vocabulary, the normalisers or the pre-tokenisers, is taken not to.
 */
export class StableCuts {
  /** Before an ASCII space that follows a letter, a digit or ASCII punctuation. */
  readonly betweenWords: boolean
  /** Between an ideographic comma or full stop and a letter without case: for scripts written without spaces. */
  readonly afterStops: boolean

  constructor(json: TokenizerJson) {
    const preTokenizers = steps(json.pre_tokenizer)
    const local = steps(json.normalizer).every(normalizerIsLocal) && preTokenizers.every(preTokenizerIsLocal)
    const byteLevel = preTokenizers.some((step) => step.type === 'ByteLevel')
    const spans = byteLevel ? SPANNING_BYTES : SPANNING_CHARS
    const added = (json.added_tokens ?? []).map((token) => token.content)
    const pieces = Object.keys(json.model.vocab)
    const free = (piece: RegExp, content: RegExp) =>
      local && !pieces.some((each) => piece.test(each)) && !added.some((each) => content.test(each))
    this.betweenWords = free(spans.words, /\S[\s\u2581]/)
    this.afterStops = free(spans.stops, /[、。]/)
  }

  /**
   * UTF-16 units of the longest stable prefix of `text` up to `charsMax`; the whole text if it fits, so 0 for an
   * empty one; undefined where there is no place to cut near there.
   */
  prefixLength(text: string, charsMax: number): number | undefined {
    if (text.length <= charsMax) return text.length
    const first = Math.max(1, charsMax - LOOK_BACK_CHARS)
    for (let at = charsMax; at >= first; at--) {
      const before = text[at - 1]!
      if (this.betweenWords && text[at] === ' ' && /[!-~\p{L}\p{N}]/u.test(before)) return at
      if (this.afterStops && (before === '。' || before === '、') && /\p{Lo}/u.test(text[at]!)) return at
    }
    return undefined
  }
}

/** How far before the limit a cut is looked for. */
const LOOK_BACK_CHARS = 4096

/** Vocabulary entries over a space (written `▁`), or over a stop. */
const SPANNING_CHARS = { words: /[^\s\u2581][ \u2581]/, stops: /[、。]./ }

/**
 * The same for byte-level vocabularies, which write bytes up to 0x20 as U+0100 to U+0120 (the space last) and those
 * from 0x80 as U+0122 on. A stop is E3 80 81 or E3 80 82; an entry over it may begin inside it.
 */
const SPANNING_BYTES = {
  words: /[^\u0100-\u0120]\u0120/,
  stops: /(?:\u00e3\u0122|^\u0122|^)[\u0123\u0124][\u00c2-\u00f4]/,
}

/** A step, or those of a sequence. */
export function steps(step: Step | null | undefined): Step[] {
  if (!step) return []
  if (step.type !== 'Sequence') return [step]
  return [...(step.normalizers ?? []), ...(step.pretokenizers ?? [])].flatMap(steps)
}

const LOCAL_NORMALIZERS = new Set([
  'BertNormalizer',
  'NFC',
  'NFD',
  'NFKC',
  'NFKD',
  'Lowercase',
  'StripAccents',
  'Strip',
  'Prepend',
])

function normalizerIsLocal(step: Step): boolean {
  if (LOCAL_NORMALIZERS.has(step.type)) return true
  if (step.type !== 'Replace') return false
  const { String: literal, Regex: regex } = step.pattern ?? {}
  if (literal !== undefined) return !/\S\s/.test(literal)
  return regex !== undefined && /^(\\s| |\[\\s\])(\+|\{\d+,?\d*\})?$/.test(regex)
}

/** Llama 3 and its relatives; no alternative goes on over a space after a letter, a digit or punctuation. */
export const LLAMA3_SPLIT =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

function preTokenizerIsLocal(step: Step): boolean {
  if (step.type === 'Split') return step.behavior === 'Isolated' && step.pattern?.Regex === LLAMA3_SPLIT
  return ['ByteLevel', 'Metaspace', 'Digits', 'WhitespaceSplit', 'BertPreTokenizer'].includes(step.type)
}
