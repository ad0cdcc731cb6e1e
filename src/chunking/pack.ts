import type { Span } from '../index/document.ts'
import type { Piece } from './pieces.ts'

/** A piece whose tokens are known. */
export interface CountedPiece extends Piece {
  tokens: number
}

/** A run of pieces. */
export interface Packed extends Span {
  /** Whether all of them are sentences. */
  sentences: boolean
}

export interface PackOptions {
  /** Most tokens of a passage; a single piece with more is a passage of its own. */
  tokens: number
  /** Tokens that a passage may repeat of the one before, in whole sentences. */
  overlap: number
}

/**
 * Pieces in their order as passages of about the same size, as few as hold them: the last one is not a crumb, whose
 * vector would say little.
 */
export function pack(pieces: readonly CountedPiece[], { tokens: most, overlap }: PackOptions): Packed[] {
  const passages: Packed[] = []
  let begin = 0
  let left = pieces.reduce((sum, { tokens }) => sum + tokens, 0)
  for (let first = 0; first < pieces.length; ) {
    // Never as far back as the passage before: it would be repeated whole.
    if (first > 0) begin = repeatFrom(pieces, [begin + 1, first], { tokens: most, overlap })
    let tokens = tokensOf(pieces, begin, first)
    const room = Math.max(1, most - tokens)
    const share = tokens + left / Math.ceil(left / room)
    let end = first
    do {
      tokens += pieces[end]!.tokens
      left -= pieces[end]!.tokens
      end++
    } while (end < pieces.length && tokens < share && tokens + pieces[end]!.tokens <= most)
    // What costs nothing, such as spaces, stays where it is.
    while (end < pieces.length && pieces[end]!.tokens === 0) end++
    const sentences = pieces.slice(begin, end).every(({ sentence }) => sentence)
    passages.push({ start: pieces[begin]!.start, end: pieces[end - 1]!.end, sentences })
    first = end
  }
  return passages
}

/** The first of the sentences from `earliest` on that the passage of `first` repeats: `first` itself where none fits. */
function repeatFrom(
  pieces: readonly CountedPiece[],
  [earliest, first]: readonly [number, number],
  { tokens: most, overlap }: PackOptions,
): number {
  const room = Math.min(overlap, most - pieces[first]!.tokens)
  let begin = first
  for (let tokens = 0; begin > earliest; begin--) {
    const before = pieces[begin - 1]!
    tokens += before.tokens
    if (!before.sentence || tokens > room) break
  }
  return begin
}

function tokensOf(pieces: readonly CountedPiece[], from: number, to: number): number {
  let sum = 0
  for (let i = from; i < to; i++) sum += pieces[i]!.tokens
  return sum
}
