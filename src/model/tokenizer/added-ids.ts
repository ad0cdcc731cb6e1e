import type { TokenizerJson } from './tokenizer-json.ts'

/**
 * The library does not read the ids of added tokens: it numbers them anew from the number of vocabulary entries on,
 * or from the largest added id. Without the special tokens, or where the file leaves gaps, those are ids of other
 * pieces. Entries that no text can reach bring the vocabulary to its largest id, so that the numbers which the
 * library gives belong to nothing else and can be translated back.
 */
export function withRoomForAdded(json: TokenizerJson): TokenizerJson {
  const { vocab } = json.model
  if ((json.added_tokens ?? []).every(({ content }) => Object.hasOwn(vocab, content))) return json
  const pieces = Object.keys(vocab)
  let end = 0
  for (const piece of pieces) end = Math.max(end, vocab[piece]! + 1)
  const filled = { ...vocab }
  // A space in the middle: every pre-tokenizer replaces it or splits at it, and no merge leads to it.
  for (let size = pieces.length, id = end; size < end; id++) {
    if (Object.hasOwn(vocab, `filler ${id}`)) continue
    filled[`filler ${id}`] = id
    size++
  }
  return { ...json, model: { ...json.model, vocab: filled } }
}

/**
 * The file's id for each id of the library's that differs.
 *
 * @param libraryId what the loaded library calls a token
 */
export function addedIds(
  { added_tokens: added, model: { vocab } }: TokenizerJson,
  libraryId: (content: string) => number | null,
): Map<number, number> {
  const ids = new Map<number, number>()
  for (const { content, id } of added ?? []) {
    const given = libraryId(content)
    if (given !== null && !ids.has(given) && !Object.hasOwn(vocab, content)) ids.set(given, id)
  }
  return ids
}
