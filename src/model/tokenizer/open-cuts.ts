import { longestWord } from './long-words.ts'
import { LLAMA3_SPLIT, steps } from './stable-cuts.ts'
import type { Step, TokenizerJson } from './tokenizer-json.ts'

/** Prefixes of a text, shortest first; the tokens that all of them begin with are those of the text. */
export interface OpenCut {
  prefixes: string[]
  /** Whether the last word of a prefix may have other tokens in the text. */
  lastWordOpen: boolean
}

/** Longest vocabulary entry with which cutting is worth its cost: each character of it is one more prefix. */
const ENTRY_CHARS_MAX = 256

/**
 * Cuts a text where no stable place is near: in runs without spaces. What is said of the tokens is exact.
 *
 * WordPiece reads words one by one, each of bounded length, so only the last word depends on what follows.
 *
 * Merges (BPE) never cross a border between two tokens of the result, so the tokens up to such a border are those of
 * the text up to there alone. Every stretch as long as the longest entry holds a border; which of its places it is
 * cannot be known, but the tokens with which the prefixes up to all of these places begin are certain.
 *
 * What is not known to keep this is not cut.
 */
export class OpenCuts {
  readonly #kind: 'words' | 'merges' | 'merges in classes' | 'none'
  /** Characters of the longest entry. */
  readonly #entryChars: number
  /** Whether a normaliser might look at a character together with its neighbour, unless both are ASCII. */
  readonly #asciiOnly: boolean

  constructor(json: TokenizerJson) {
    const normalizers = steps(json.normalizer)
    const preTokenizers = steps(json.pre_tokenizer)
    this.#kind = kindOf(json, normalizers, preTokenizers)
    this.#asciiOnly = this.#kind === 'merges in classes' || !normalizers.every(keepsCharacters)
    this.#entryChars = this.#kind === 'words' ? 0 : longestEntry(json)
    if (this.#entryChars > ENTRY_CHARS_MAX) this.#kind = 'none'
  }

  /** Where `text`, which is longer than `charsMax`, may be cut near there; undefined where that is not known. */
  cut(text: string, charsMax: number): OpenCut | undefined {
    const at = isLowSurrogate(text, charsMax) ? charsMax - 1 : charsMax
    if (this.#kind === 'none' || at < 4 * this.#entryChars) return undefined
    if (this.#kind === 'words') return { prefixes: [text.slice(0, at)], lastWordOpen: true }
    // Prefixes one character apart; twice as many characters are looked at, because an entry that is a whole word
    // may stand there as one token.
    const stretch = text.slice(lengthBefore(text, at, 2 * this.#entryChars), at + 1)
    if (this.#asciiOnly && !/^[\0-\x7f]*$/.test(stretch)) return undefined
    if (this.#kind === 'merges in classes' && !CLASSES.some((each) => each.test(stretch))) {
      const border = [...stretch.matchAll(CLASS_BORDER)].at(-1)
      if (!border) return undefined
      return { prefixes: [text.slice(0, at + 1 - stretch.length + border.index + 1)], lastWordOpen: false }
    }
    const prefixes: string[] = []
    for (let length = at; prefixes.length <= this.#entryChars; length = lengthBefore(text, length, 1)) {
      prefixes.unshift(text.slice(0, length))
    }
    return { prefixes, lastWordOpen: false }
  }
}

/** Runs that the pre-tokenisers of byte-level vocabularies never cut, except numbers, from their beginning on. */
const CLASSES = [/^[A-Za-z]+$/, /^[0-9]+$/, /^[!-&(-/:-@[-`{-~]+$/, /^ +$/, /^\n+$/]

/** A character after which they always cut, because what follows is of another class. */
const CLASS_BORDER = /[A-Za-z](?=[^A-Za-z])|[0-9](?=[^0-9])/g

function kindOf(json: TokenizerJson, normalizers: Step[], preTokenizers: Step[]) {
  // Added tokens are found in the text before all else, and some look at what surrounds them.
  if ((json.added_tokens ?? []).length > 0 || !normalizers.every(isLocal)) return 'none'
  const all = (types: readonly string[]) => preTokenizers.every(({ type }) => types.includes(type))
  if (longestWord(json) !== undefined) {
    return all(['BertPreTokenizer', 'WhitespaceSplit', 'Whitespace']) ? 'words' : 'none'
  }
  const { byte_fallback: fallback, vocab, merges = [] } = json.model
  const bytes = fallback === true && '<0x00>' in vocab && !merges.flat().some((part) => /<0x..>/.test(part))
  if (bytes && all(['Metaspace'])) return 'merges'
  const inClasses = preTokenizers.every(
    ({ type, behavior, pattern }) =>
      type === 'ByteLevel' ||
      (type === 'Split' && behavior === 'Isolated' && pattern?.Regex === LLAMA3_SPLIT),
  )
  return inClasses && preTokenizers.some(({ type }) => type === 'ByteLevel') ? 'merges in classes' : 'none'
}

/** Change a character by itself, or with the marks that follow it. */
const LOCAL = ['BertNormalizer', 'NFC', 'NFD', 'NFKC', 'NFKD', 'StripAccents', 'Lowercase']

function isLocal(step: Step): boolean {
  return keepsCharacters(step) || LOCAL.includes(step.type)
}

/** Whether it makes one character of each. */
function keepsCharacters({ type, pattern, content }: Step): boolean {
  if (type === 'Replace') return pattern?.String?.length === 1 && content?.length === 1
  return type === 'Prepend'
}

function longestEntry({ model }: TokenizerJson): number {
  let longest = 1
  for (const entry of Object.keys(model.vocab)) {
    if (entry.length > longest) longest = Math.max(longest, [...entry].length)
  }
  return longest
}

/** UTF-16 units of the first `length` units of a text without their last `chars` characters. */
function lengthBefore(text: string, length: number, chars: number): number {
  let at = length
  for (let i = 0; i < chars; i++) at -= isLowSurrogate(text, at - 1) ? 2 : 1
  return at
}

/** Whether the second half of a surrogate pair stands at `at`. */
function isLowSurrogate(text: string, at: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1))
}
