import type { Span } from '../index/document.ts'

/** A stretch of a text, counted both ways: Python counts code points, JavaScript and Java UTF-16 units. */
export interface CountedSpan extends Span {
  /** In code points, half open. */
  start: number
  end: number
  startUtf16: number
  endUtf16: number
}

/** Spans in UTF-16 units, in order and without overlaps, counted both ways. */
export function inCodePoints(text: string, spans: readonly Span[]): CountedSpan[] {
  let at = 0
  let pairs = 0
  const count = (unit: number) => {
    for (; at < unit; at++) if ((text.charCodeAt(at) & 0xfc00) === 0xdc00) pairs++
    return unit - pairs
  }
  return spans.map(({ start: startUtf16, end: endUtf16 }) => {
    const start = count(startUtf16)
    return { start, end: count(endUtf16), startUtf16, endUtf16 }
  })
}
