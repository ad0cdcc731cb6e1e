import type { Span } from '../index/document.ts'
import { Borders, startsOf } from './boundaries.ts'

/** A part of a text that is not cut further unless it has to be. */
export interface Piece extends Span {
  /** Whether it is a whole sentence, or a whole line. */
  sentence: boolean
}

/**
 * UTF-16 units that are looked at together. A step of Intl.Segmenter costs time in proportion to all of the text that
 * it was given (2.6 ms in 1 MiB), so a long text as a whole would take the square of its length.
 */
const WINDOW = 2048
/** UTF-16 units of a part of a sentence that is longer than a window. */
const PART = 512

/**
 * A text as sentences, from its first unit to its last; a sentence longer than a window is cut. No step takes more than
 * a few milliseconds, whatever the text.
 */
export function* pieces(text: string): Generator<Piece> {
  let sentence = true
  for (let start = 0; start < text.length; ) {
    const window = text.slice(start, start + WINDOW)
    const starts = startsOf('sentence', window)
    // The last sentence may go on behind the window: the next one begins with it.
    const ends = start + window.length < text.length ? starts.slice(1) : [...starts.slice(1), window.length]
    let at = 0
    for (const end of ends) {
      yield { start: start + at, end: start + end, sentence }
      sentence = true
      at = end
    }
    if (at === 0) {
      at = new Borders(window).last(0, PART)
      yield { start, end: start + at, sentence: false }
      sentence = false
    }
    start += at
  }
}

/** A short piece in about `parts` parts of one length, cut between words where it has any; one where it is a single character. */
export function split(text: string, { start, end }: Span, parts: number): Piece[] {
  const piece = text.slice(start, end)
  const borders = new Borders(piece)
  const found: Piece[] = []
  let from = 0
  for (let part = 1; part <= parts && from < piece.length; part++) {
    const ideal = Math.round((part * piece.length) / parts)
    if (ideal <= from) continue
    const to = part === parts ? piece.length : borders.last(from, ideal)
    found.push({ start: start + from, end: start + to, sentence: false })
    from = to
  }
  return found
}

/** The same for a stretch of any length, between sentences where it has enough of them. */
export function divide(text: string, { start, end }: Span, parts: number): Span[] {
  if (end - start <= WINDOW) return split(text, { start, end }, parts)
  const length = end - start
  const borders = Array.from(pieces(text.slice(start, end)), (piece) => piece.end)
  const found: Span[] = []
  let from = 0
  for (const [i, border] of borders.entries()) {
    const ideal = ((found.length + 1) * length) / parts
    const next = borders[i + 1]
    // The nearest to the ideal one; the last border is the end.
    if (next !== undefined && (next < length || found.length > 0) && nearer(next, border, ideal)) continue
    found.push({ start: start + from, end: start + border })
    from = border
  }
  return found
}

function nearer(a: number, b: number, ideal: number): boolean {
  return Math.abs(a - ideal) < Math.abs(b - ideal)
}
