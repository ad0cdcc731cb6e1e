import { BodyTokenizer } from '../../../model/tokenizer/body-tokenizer.ts'
import { tokenIds } from './token-ids.ts'

/** Signs of a conversion that lost something: pieces of a SentencePiece vocabulary that no text gives any more. */
const SIGNS: readonly { sign: string; text: string; pieces: RegExp }[] = [
  { sign: 'gives no piece for several spaces', text: 'a      b', pieces: /^\u2581{2,}$/ },
  { sign: 'puts no space before a text', text: 'a', pieces: /^\u2581a$/ },
  { sign: 'gives no bytes for unknown characters', text: '\u{10fffd}', pieces: /^<0x[0-9A-F]{2}>$/ },
]

/**
 * What makes a tokenizer.json doubtful whose tokenizer.model is not there to compare with. A model may have been
 * trained with such a file: it is said, not refused.
 */
export async function conversionDoubts(tokenizerJson: string): Promise<string[]> {
  const pieces = [...tokenIds(tokenizerJson)]
  const tokenizer = BodyTokenizer.load(tokenizerJson)
  const doubts: string[] = []
  for (const { sign, text, pieces: kind } of SIGNS) {
    const ids = new Set(pieces.filter(([piece]) => kind.test(piece)).map(([, id]) => id))
    const [given] = await tokenizer.encode([text])
    if (ids.size > 0 && !given!.some((id) => ids.has(id))) doubts.push(sign)
  }
  return doubts
}
