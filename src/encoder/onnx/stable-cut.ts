import type { Step, TokenizerJson } from './tokenizer-json.ts'

/**
 * Where a text may be cut so that the first part has the same tokens alone as it has in the whole: before an
 * ASCII space that follows a letter, a digit or ASCII punctuation. That holds when no vocabulary entry spans such
 * a place (merges are local, so none can cross it) and no normaliser or pre-tokeniser looks over it; what is not
 * known to keep this is taken not to.
 */
export function hasStableCuts(json: TokenizerJson): boolean {
  const normalizers = flatten(json.normalizer)
  const preTokenizers = flatten(json.pre_tokenizer)
  if (!normalizers.every(normalizerIsLocal) || !preTokenizers.every(preTokenizerIsLocal)) return false
  // Bytes up to 0x20 are written U+0100 to U+0120 by byte-level tokenizers, the space itself U+0120.
  const byteLevel = preTokenizers.some((step) => step.type === 'ByteLevel')
  const crossing = byteLevel ? /[^\u0100-\u0120]\u0120/ : /[^\s\u2581][ \u2581]/
  const pieces = Object.keys(json.model.vocab)
  const added = (json.added_tokens ?? []).map((token) => token.content)
  return !pieces.some((piece) => crossing.test(piece)) && !added.some((content) => /\S\s/.test(content))
}

/** The longest stable prefix of `text` no longer than `charsMax` UTF-16 units; the whole text if it fits; else 0. */
export function stablePrefixLength(text: string, charsMax: number): number {
  if (text.length <= charsMax) return text.length
  for (let at = text.lastIndexOf(' ', charsMax); at > 0; at = text.lastIndexOf(' ', at - 1)) {
    if (/[!-~\p{L}\p{N}]/u.test(text[at - 1]!)) return at
  }
  return 0
}

function flatten(step: Step | null | undefined): Step[] {
  if (!step) return []
  if (step.type !== 'Sequence') return [step]
  return [...(step.normalizers ?? []), ...(step.pretokenizers ?? [])].flatMap(flatten)
}

const LOCAL_NORMALIZERS = new Set([
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
const LLAMA3_SPLIT =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

function preTokenizerIsLocal(step: Step): boolean {
  if (step.type === 'Split') return step.behavior === 'Isolated' && step.pattern?.Regex === LLAMA3_SPLIT
  return ['ByteLevel', 'Metaspace', 'Digits', 'WhitespaceSplit'].includes(step.type)
}
