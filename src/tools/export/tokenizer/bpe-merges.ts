import { PIECE_TYPE, type Piece } from './sentencepiece-model.ts'

/** Two pieces that become one. */
export type Merge = [left: string, right: string]

/**
 * SentencePiece joins the two neighbours whose joint piece has the best score, the leftmost of equals. The tokenizer
 * library goes by a list of merges, best first. This is the list that gives the same pieces.
 *
 * @returns the merges, or why no list can say the same
 */
export function mergesOf(pieces: readonly Piece[]): Merge[] | string {
  const words = pieces
    .filter(({ type }) => type === PIECE_TYPE.normal)
    .map(({ piece, score }) => ({ piece, score, chars: [...piece] }))
  const known = new Set(words.map(({ piece }) => piece))
  const long = words.filter(({ chars }) => chars.length > 1)
  for (const { piece, chars } of long) {
    const missing = chars.find((char) => !known.has(char))
    if (missing !== undefined) return `its piece ${piece} holds ${missing}, which is not a piece itself`
  }
  const tied = firstTie(long)
  if (tied) return `its pieces ${tied[0]} and ${tied[1]} have the same score`
  // Among runs of one character with one score the leftmost grows first, so the longer comes first here.
  long.sort((a, b) => b.score - a.score || b.chars.length - a.chars.length)
  return long.flatMap(({ chars }) => splits(chars, known))
}

/** Two pieces of one score, unless they are runs of the same character, such as spaces. */
function firstTie(pieces: readonly { piece: string; score: number; chars: string[] }[]) {
  const firstOf = new Map<number, { piece: string; chars: string[] }>()
  for (const each of pieces) {
    const first = firstOf.get(each.score)
    if (!first) firstOf.set(each.score, each)
    else if (![...first.chars, ...each.chars].every((char) => char === each.chars[0])) {
      return [first.piece, each.piece] as const
    }
  }
  return undefined
}

/**
 * The ways in which two pieces make this one, in the order that gives the leftmost of two that share a piece. Two
 * ways can meet so only if their lengths are each other's reverse: the left one then begins with the part by which
 * the whole repeats.
 */
function splits(chars: readonly string[], known: ReadonlySet<string>): Merge[] {
  const { length } = chars
  const repeatsBy = (period: number) => chars.every((char, i) => i < period || char === chars[i - period])
  const merges: Merge[] = []
  const add = (at: number) => {
    const [left, right] = [chars.slice(0, at).join(''), chars.slice(at).join('')]
    if (known.has(left) && known.has(right)) merges.push([left, right])
  }
  for (let short = 1; short <= length / 2; short++) {
    const long = length - short
    const shortFirst = repeatsBy(short) && !repeatsBy(long)
    for (const at of new Set(shortFirst ? [short, long] : [long, short])) add(at)
  }
  return merges
}
