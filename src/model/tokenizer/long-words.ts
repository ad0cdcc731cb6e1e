import { type TokenizerJson, unusable } from './tokenizer-json.ts'

/**
 * WordPiece makes one unknown token of every word over `max_input_chars_per_word`, so texts without spaces (Thai,
 * digests, long tables) all get the same vector. Here such a word is cut into words of that length, counted after
 * normalising; shorter words are as they were. llara_train does the same (`cut_long_words`).
 */
export function cutLongWords(json: TokenizerJson): TokenizerJson {
  const charsMax = longestWord(json)
  if (charsMax === undefined) return json
  const split = {
    type: 'Split',
    pattern: { Regex: `[\\s\\S]{1,${charsMax}}` },
    behavior: 'Isolated',
    invert: false,
  }
  const before = json.pre_tokenizer ? [json.pre_tokenizer] : []
  return { ...json, pre_tokenizer: { type: 'Sequence', pretokenizers: [...before, split] } }
}

/** Characters of the longest word that the vocabulary looks at; undefined where there is no such limit. */
export function longestWord({ model }: TokenizerJson): number | undefined {
  if (model.type !== 'WordPiece') return undefined
  const charsMax = model.max_input_chars_per_word ?? 100
  if (Number.isSafeInteger(charsMax) && charsMax > 0) return charsMax
  throw unusable('has a max_input_chars_per_word that is not a whole number')
}
