import { ServiceError } from '../errors.ts'
import type { Span } from '../index/document.ts'
import { turn } from '../turns.ts'
import { isCharacter } from './boundaries.ts'
import { type CountedPiece, type Packed, pack } from './pack.ts'
import { divide, type Piece, pieces, split } from './pieces.ts'

/** Tokens of each text, as the model's tokenizer makes them. */
export type CountTokens = (texts: readonly string[]) => Promise<Uint32Array>

export interface CutOptions {
  /** Most tokens of a passage. */
  tokens: number
  /** Tokens that a passage repeats of the one before at most, in whole sentences. */
  overlap: number
  /** A text with more passages than this is refused. */
  passagesMax: number
  /** Name of the text in the request, for messages: `documents[3].text`. */
  field: string
}

/** UTF-16 units whose tokens are counted in one call. */
const COUNTED_AT_ONCE = 262_144
/** A sentence that is cut is cut into parts of about this share of a passage: passages are then filled well. */
const PARTS_PER_PASSAGE = 8
/** Parts of one piece; those that are still too long are cut again. */
const PARTS_MAX = 64

/**
 * Cuts a text into passages at the ends of sentences: at those of words where a sentence is longer than a passage, and
 * anywhere but inside a character where a word is. Everything but white space is in a passage. Lets other requests in
 * between its steps.
 *
 * A passage is counted by its sentences. A tokenizer that merges across them may find a few tokens more or fewer in it.
 *
 * @returns passages in the order of the text, without white space around them
 * @throws ServiceError TOO_LARGE (`passagesMax`); whatever `count` throws
 */
export async function cutText(text: string, count: CountTokens, options: CutOptions): Promise<Span[]> {
  const { tokens: most, passagesMax, field } = options
  const counted: CountedPiece[] = []
  let total = 0
  let open: Piece[] = []
  let units = 0
  const settle = async () => {
    for (const piece of await countedPieces(text, open, count, most)) {
      counted.push(piece)
      total += piece.tokens
    }
    // Before all of a long text is read.
    if (total > passagesMax * most) throw tooMany(field, passagesMax)
    open = []
    units = 0
  }
  for (const piece of pieces(text)) {
    const others = turn()
    if (others) await others
    open.push(piece)
    units += piece.end - piece.start
    if (units >= COUNTED_AT_ONCE) await settle()
  }
  await settle()
  const passages = await fitted(text, pack(counted, options), count, most)
  if (passages.length > passagesMax) throw tooMany(field, passagesMax)
  return passages
}

/** A passage that turned out to be too long in about `count` parts; itself where it is a single character. */
export function parts(text: string, span: Span, count = 2): Span[] {
  return divide(text, span, count)
    .map((part) => trimmed(text, part))
    .filter(({ start, end }) => end > start)
}

/**
 * Passages as they are in the text. Those with parts of words or sentences are counted once more as a whole, for a
 * WordPiece tokenizer may read a part of a long word as one unknown token and all of it letter by letter.
 */
async function fitted(text: string, packed: Packed[], count: CountTokens, most: number): Promise<Span[]> {
  const fit: Span[] = []
  let doubtful: Span[] = []
  for (const { sentences, ...span } of packed) {
    const passage = trimmed(text, span)
    if (passage.end > passage.start) (sentences ? fit : doubtful).push(passage)
  }
  while (doubtful.length > 0) {
    const tokens = await count(doubtful.map(({ start, end }) => text.slice(start, end)))
    const again: Span[] = []
    for (const [i, span] of doubtful.entries()) {
      const others = turn()
      if (others) await others
      const number = tokens[i]!
      const smaller = number > most ? parts(text, span, Math.ceil(number / most)) : []
      if (smaller.length > 1) again.push(...smaller)
      else fit.push(span)
    }
    doubtful = again
  }
  return fit.sort((a, b) => a.start - b.start)
}

/** Pieces in their order, those with too many tokens cut until none has. */
async function countedPieces(
  text: string,
  open: readonly Piece[],
  count: CountTokens,
  most: number,
): Promise<CountedPiece[]> {
  let list: (Piece | CountedPiece)[] = [...open]
  for (;;) {
    const uncounted = list.filter((piece) => !isCounted(piece))
    if (uncounted.length === 0) return list.filter(isCounted)
    const tokens = await count(uncounted.map(({ start, end }) => text.slice(start, end)))
    const next: (Piece | CountedPiece)[] = []
    let i = 0
    for (const piece of list) {
      const others = turn()
      if (others) await others
      if (isCounted(piece)) next.push(piece)
      else next.push(...fitting(text, piece, tokens[i++]!, most))
    }
    list = next
  }
}

/** The piece with its tokens, or its parts where it has too many. */
function fitting(text: string, piece: Piece, tokens: number, most: number): (Piece | CountedPiece)[] {
  const enough = piece.sentence ? most : (2 * most) / PARTS_PER_PASSAGE
  if (tokens > enough && (tokens > most || !isCharacter(text.slice(piece.start, piece.end)))) {
    const wanted = Math.min(PARTS_MAX, Math.ceil((tokens / most) * PARTS_PER_PASSAGE))
    const smaller = split(text, piece, wanted)
    if (smaller.length > 1) return smaller
  }
  return [{ ...piece, tokens }]
}

function isCounted(piece: Piece | CountedPiece): piece is CountedPiece {
  return 'tokens' in piece
}

function trimmed(text: string, { start, end }: Span): Span {
  const part = text.slice(start, end)
  const from = start + part.length - part.trimStart().length
  return { start: from, end: Math.max(from, start + part.trimEnd().length) }
}

function tooMany(field: string, passagesMax: number): ServiceError {
  const message = `${field} makes more than ${passagesMax} passages (PASSAGES_PER_DOCUMENT_MAX); split the document, or make passages longer.`
  return new ServiceError('TOO_LARGE', message, { field, limit: passagesMax })
}
