import { type TokenizerJson, unusable, type VocabularyModel } from './tokenizer-json.ts'

/**
 * WordPiece makes one unknown token of every word over `max_input_chars_per_word`, so texts without spaces (Thai,
 * digests, long tables) all get the same vector. Here such a word is cut into words of at most that length, counted
 * after normalising, and around characters that the vocabulary lacks, so that the others are read. Shorter words are
 * as they were. llara_train does the same (`cut_long_words`).
 */
export function cutLongWords(json: TokenizerJson): TokenizerJson {
  const charsMax = longestWord(json)
  if (charsMax === undefined) return json
  const split = {
    type: 'Split',
    pattern: { Regex: wordPattern(json.model, charsMax) },
    behavior: 'Isolated',
    invert: false,
  }
  const before = json.pre_tokenizer ? [json.pre_tokenizer] : []
  return { ...json, pre_tokenizer: { type: 'Sequence', pretokenizers: [...before, split] } }
}

/** A word that is short enough, or the next part of one that is not. */
function wordPattern({ vocab, continuing_subword_prefix: prefix = '##' }: VocabularyModel, charsMax: number) {
  const known = Object.keys(vocab).filter((entry) => entry.length <= 2 && [...entry].length === 1)
  const anywhere = known.filter((character) => Object.hasOwn(vocab, prefix + character))
  const atStart = known.filter((character) => !Object.hasOwn(vocab, prefix + character))
  const parts = [`\\A[\\s\\S]{1,${charsMax}}\\z`]
  if (anywhere.length > 0) parts.push(`[${escaped(anywhere)}]{1,${charsMax}}`)
  if (atStart.length > 0) parts.push(`[${escaped(atStart)}]`)
  parts.push(known.length > 0 ? `[^${escaped(known)}]{1,${charsMax}}` : `[\\s\\S]{1,${charsMax}}`)
  return parts.join('|')
}

function escaped(characters: readonly string[]): string {
  return characters.map((character) => `\\x{${character.codePointAt(0)!.toString(16)}}`).join('')
}

/** Characters of the longest word that the vocabulary looks at; undefined where there is no such limit. */
export function longestWord({ model }: TokenizerJson): number | undefined {
  if (model.type !== 'WordPiece') return undefined
  const charsMax = model.max_input_chars_per_word ?? 100
  if (Number.isSafeInteger(charsMax) && charsMax > 0) return charsMax
  throw unusable('has a max_input_chars_per_word that is not a whole number')
}
