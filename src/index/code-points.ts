import type { Span } from './document.ts'

/** A stretch of a text, counted both ways: Python counts code points, JavaScript and Java UTF-16 units. */
export interface CountedSpan extends Span {
  /** In code points, half open. */
  start: number
  end: number
  startUtf16: number
  endUtf16: number
}

/** Spans in UTF-16 units, in any order, counted both ways. The text is read once. */
export function inCodePoints(text: string, spans: readonly Span[]): CountedSpan[] {
  const counted = new Map<number, number>()
  const borders = spans.flatMap(({ start, end }) => [start, end]).sort((a, b) => a - b)
  let at = 0
  let pairs = 0
  for (const border of borders) {
    for (; at < border; at++) if ((text.charCodeAt(at) & 0xfc00) === 0xdc00) pairs++
    counted.set(border, border - pairs)
  }
  return spans.map(({ start: startUtf16, end: endUtf16 }) => {
    return { start: counted.get(startUtf16)!, end: counted.get(endUtf16)!, startUtf16, endUtf16 }
  })
}
