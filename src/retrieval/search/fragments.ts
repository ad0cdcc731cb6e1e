import type { Span } from '../../index/document.ts'

/** Parts of a text that are shown. */
const FRAGMENTS_MAX = 3
/** Characters from the first word that a part shows to the end of its last. */
const REACH = 160
/** Characters shown before and after those words, words not cut. */
const MARGIN = 40

/**
 * The parts of a text that hold most of the words found in it, as HTML: the words in `<mark>`, everything else escaped,
 * `…` where something is left out.
 *
 * @param spans in order, without overlaps, in UTF-16 code units
 */
export function fragmentsOf(text: string, spans: readonly Span[]): string[] {
  const parts = partsOf(spans)
  const best = parts.toSorted((a, b) => b.length - a.length).slice(0, FRAGMENTS_MAX)
  return parts.filter((part) => best.includes(part)).map((part) => marked(text, part))
}

/** Spans near each other, one list for each part. */
function partsOf(spans: readonly Span[]): Span[][] {
  const parts: Span[][] = []
  for (const span of spans) {
    const part = parts.at(-1)
    if (part && span.end <= part[0]!.start + REACH) part.push(span)
    else parts.push([span])
  }
  return parts
}

function marked(text: string, spans: readonly Span[]): string {
  const from = wordEnd(text, spans[0]!.start, -1)
  const to = wordEnd(text, spans.at(-1)!.end, 1)
  let html = from > 0 ? '…' : ''
  let at = from
  for (const { start, end } of spans) {
    html += `${escaped(text.slice(at, start))}<mark>${escaped(text.slice(start, end))}</mark>`
    at = end
  }
  return html + escaped(text.slice(at, to)) + (to < text.length ? '…' : '')
}

/** A place about MARGIN characters away, at white space where there is some on the way, never within a character. */
function wordEnd(text: string, from: number, direction: 1 | -1): number {
  const limit = Math.min(text.length, Math.max(0, from + direction * MARGIN))
  if (limit === 0 || limit === text.length) return limit
  for (let at = limit; at !== from; at -= direction) {
    if (/\s/.test(text[direction === 1 ? at : at - 1]!)) return at
  }
  return (text.charCodeAt(limit) & 0xfc00) === 0xdc00 ? limit + direction : limit
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
